/** The machine and the versions that a result was measured on. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT, PYTHON } from './places.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly python: string;
  readonly gunicorn: string;
  readonly uwsgi: string;
  readonly django: string;
  /** Part of all cores that other work took in the half second before the benchmark. It blurs every figure. */
  readonly busyBefore: number;
}

const VERSIONS = `
import platform, importlib.metadata as m
print(platform.python_version(), m.version("gunicorn"), m.version("pyuwsgi"), m.version("django"))
`;

export async function describeMachine(): Promise<Machine> {
  const busyBefore = await busyPart(500);
  const versions = execFileSync(PYTHON, ['-c', VERSIONS], { encoding: 'utf8' }).trim().split(' ');
  const [python = '', gunicorn = '', uwsgi = '', django = ''] = versions;
  return {
    cpu: cpus()[0]?.model.trim() ?? '',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.versions.node,
    python,
    gunicorn,
    uwsgi,
    django,
    busyBefore,
  };
}

/** The part of all cores, 0 to 1, that is not idle during the next `ms` milliseconds. */
async function busyPart(ms: number): Promise<number> {
  const times = (): { idle: number; all: number } => {
    const each = cpus().map((cpu) => cpu.times);
    const idle = each.reduce((sum, cpu) => sum + cpu.idle, 0);
    return { idle, all: each.reduce((sum, cpu) => sum + cpu.user + cpu.nice + cpu.sys + cpu.idle + cpu.irq, 0) };
  };
  const before = times();
  await sleep(ms);
  const after = times();
  return after.all === before.all ? 0 : 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** The measured commit, followed by "+" if files differ from it; null outside of a repository. */
export function describeCommit(): string | null {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}
