/** The tests of memory limits, where cgroups are of version 2. */
import process from 'node:process';
import { expect, test } from 'vitest';
import { ownMemoryCgroup } from '../src/procfs/cgroup.ts';
import { PYTHON, ROOT } from './support/cowherd.ts';
import { needs, ROOT_NEEDED, where } from './support/needs.ts';
import { runInUserModeLinux, USER_MODE_LINUX_NEEDED } from './support/user-mode-linux.ts';

// It boots a machine, which a busy host gives too little time: `make test-cgroups` runs it.
const asked = where(process.env['COWHERD_CGROUP_V2'] === '1', 'not asked for: make test-cgroups');
const alone = where(ownMemoryCgroup()?.version !== 2, 'cgroups are of version 2 here: recycling.test.ts is that test');

test(
  'limits are read, kills are told of, and the herd stays below',
  needs(asked, alone, ROOT_NEEDED, USER_MODE_LINUX_NEEDED),
  async () => {
    const script = `
cd ${ROOT}
export COWHERD_TEST_PATIENCE=6
cat /proc/self/cgroup /sys/fs/cgroup/cgroup.controllers
${process.execPath} node_modules/vitest/vitest.mjs run --project process test/recycling.test.ts -t 'in a cgroup with a limit'
`;
    const { status, output } = await runInUserModeLinux(script, { python: PYTHON, memoryMiB: 3072 });
    expect(output).toMatch(/^0::\/\r?$/m);
    expect(output).toMatch(/Tests .*3 passed/);
    expect(status, output).toBe(0);
  },
);
