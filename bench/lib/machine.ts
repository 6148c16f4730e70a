/** On what a result was measured. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
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
  /** Over the last minute, before the benchmark began: other work on the machine blurs every figure. */
  readonly loadAverageBefore: number;
}

const VERSIONS = `
import platform, importlib.metadata as m
print(platform.python_version(), m.version("gunicorn"), m.version("pyuwsgi"), m.version("django"))
`;

export function describeMachine(): Machine {
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
    loadAverageBefore: loadavg()[0] ?? 0,
  };
}

/** The commit that was measured, with "+" where files differ from it; null outside of a repository. */
export function describeCommit(): string | null {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}
