/** Identifies the sources that a result was made with. A result of other sources is made again. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CHECKOUT } from '../../bench/lib/places.ts';
import { FOLDER, type Package } from './list.ts';

const COWHERD = ['agent/cowherd_agent', 'agent/launch.py', 'src'];
const SOURCES = [...COWHERD, 'compatibility/packages/application.py'];

let ofCowherd: string | null = null;

export function fingerprintOf(package_: Package): string {
  ofCowherd ??= hashOf(SOURCES.flatMap((source) => filesOf(path.join(CHECKOUT, source))));
  const { name, install, installer, worker, services, companion, environment } = package_;
  const use = readFileSync(path.join(FOLDER, 'uses', `${package_.use}.py`));
  return createHash('sha256')
    .update(ofCowherd)
    .update(JSON.stringify([name, install, installer, worker, services, companion, environment]))
    .update(use)
    .digest('hex')
    .slice(0, 16);
}

/** The last commit that changed Cowherd itself, abbreviated, with "+" if files differ from it; null without one. */
export function commitOfCowherd(): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', [...args, '--', ...COWHERD], { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  try {
    return `${git('log', '-1', '--format=%h')}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}

function filesOf(place: string): string[] {
  if (/\.(?:py|ts)$/.test(place)) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:py|ts)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(path.relative(CHECKOUT, file)).update(readFileSync(file));
  return hash.digest('hex');
}
