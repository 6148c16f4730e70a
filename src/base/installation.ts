/**
 * The folder of this installation, and what lies in it that is no module: the agent, the example, the command.
 *
 * It is the checkout, or what a package brought: `share/cowherd` of a Python environment, or `cowherd` in node_modules.
 * A module can't count the folders above it, since the packages have all modules in one folder.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const AGENT = path.join('agent', 'launch.py');
/** `src/base` and `dist/base` are two folders deep. */
const MOST_LEVELS = 3;

/**
 * The nearest folder above `folder` that has the agent.
 *
 * @throws Error if there is none: the installation is damaged
 */
export function installationAbove(folder: string): string {
  let candidate = folder;
  for (let level = 0; level <= MOST_LEVELS; level += 1) {
    if (existsSync(path.join(candidate, AGENT))) return candidate;
    candidate = path.dirname(candidate);
  }
  throw new Error(`the installation is damaged: no ${AGENT} above ${folder}`);
}

export const INSTALLATION = installationAbove(import.meta.dirname);

/** Whether the installation is a checkout, with its sources and its own `.venv`. */
export const IS_CHECKOUT = existsSync(path.join(INSTALLATION, 'src'));

/** The version of Cowherd, read from the installation's package.json. */
export function installedVersion(): string {
  const text = readFileSync(path.join(INSTALLATION, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The program of every Python process of Cowherd. */
export const LAUNCHER = path.join(INSTALLATION, AGENT);

/** The command, to start another process of this installation. */
export const COMMAND = path.join(INSTALLATION, 'bin', 'cowherd');

/** The Django project of `cowherd demo`. */
export const EXAMPLE = path.join(INSTALLATION, 'examples', 'feed');
