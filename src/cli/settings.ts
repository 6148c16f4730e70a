/** `cowherd settings`: every setting that `serve` takes, as the gunicorn that would serve reports them. */
import { execFile } from 'node:child_process';
import pc from 'picocolors';
import * as v from 'valibot';
import { CowherdError } from '../base/errors.ts';
import { firstIssue } from '../base/first-issue.ts';
import { LAUNCHER } from '../base/installation.ts';
import { printableIn } from '../base/printable.ts';
import { findInterpreter } from '../cpython/discover.ts';
import {
  compareVersions,
  gunicornInstallLine,
  gunicornIsNewEnough,
  OLDEST_PYTHON,
  probe,
} from '../cpython/interpreter.ts';

export interface SettingsOptions {
  python?: string;
  chdir?: string;
  json?: boolean;
}

export interface SettingReport {
  name: string;
  section: string;
  /** Options of the command line; empty if the setting exists only in gunicorn.conf.py. */
  options: string[];
  /** The placeholder for the value; null if the option takes no value. */
  meta: string | null;
  /** Null if there is no default, or for a hook. */
  default: unknown;
  description: string;
}

interface SettingsReport {
  python: string;
  gunicorn: string;
  settings: SettingReport[];
}

const answer: v.GenericSchema<unknown, Omit<SettingsReport, 'python'>> = v.object({
  gunicorn: v.string(),
  settings: v.array(
    v.object({
      name: v.string(),
      section: v.string(),
      options: v.array(v.string()),
      meta: v.nullable(v.string()),
      default: v.unknown(),
      description: v.string(),
    }),
  ),
});

/** @throws CowherdError those of `serve` for an unusable interpreter, INVALID_SETTING, UNKNOWN_SETTING */
export async function runSettings(word: string | undefined, options: SettingsOptions): Promise<number> {
  const { path } = await findInterpreter({
    python: options.python,
    projectFolder: options.chdir,
    cwd: process.cwd(),
    env: process.env,
  });
  await requireGunicorn(path);
  const report = printableIn(await askFor(path));
  const settings = report.settings.filter(({ name }) => name.includes((word ?? '').replaceAll('-', '_').toLowerCase()));
  if (settings.length === 0) {
    throw new CowherdError('UNKNOWN_SETTING', {
      detail: `no name contains ${word ?? ''}`,
      advice: '`cowherd settings` lists them all.',
    });
  }
  process.stdout.write(
    options.json === true ? `${JSON.stringify({ ...report, settings }, null, 2)}\n` : `${formatSettings(settings)}\n`,
  );
  return 0;
}

async function requireGunicorn(path: string): Promise<void> {
  const found = await probe(path);
  if (found === null) throw new CowherdError('PYTHON_NOT_FOUND', { detail: path });
  if (compareVersions(found.version, OLDEST_PYTHON) < 0) {
    throw new CowherdError('PYTHON_TOO_OLD', { detail: `${path} is Python ${found.version.join('.')}` });
  }
  const advice = `Install it there: ${gunicornInstallLine(found)}`;
  if (found.gunicorn === null) throw new CowherdError('NO_GUNICORN', { detail: path, advice });
  if (!gunicornIsNewEnough(found.gunicorn)) {
    throw new CowherdError('GUNICORN_TOO_OLD', { detail: `gunicorn ${found.gunicorn} in ${path}`, advice });
  }
}

async function askFor(python: string): Promise<SettingsReport> {
  const output = await new Promise<string>((resolve, reject) => {
    execFile(python, [LAUNCHER, 'settings'], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new CowherdError('INVALID_SETTING', { detail: stderr.trimEnd().split('\n').at(-1) ?? '', cause: error }),
        );
    });
  });
  return { python, ...readAnswer(output, python) };
}

/**
 * Reads the list that the agent has printed. Code that runs whenever the interpreter starts, such as a sitecustomize,
 * may have printed something before it.
 *
 * @throws CowherdError INTERNAL
 */
export function readAnswer(output: string, python: string): Omit<SettingsReport, 'python'> {
  const refuse = (why: string): never => {
    throw new CowherdError('INTERNAL', { detail: `the list of settings that ${python} printed: ${why}` });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(output);
  } catch (error) {
    return refuse(String(error));
  }
  const result = v.safeParse(answer, parsed);
  return result.success ? result.output : refuse(firstIssue(result.issues));
}

/** Lists the settings by section, each with its options, default and description. Pure. */
export function formatSettings(settings: readonly SettingReport[]): string {
  const sections = [...new Set(settings.map(({ section }) => section))];
  return sections
    .map((section) => {
      const lines = settings.filter((each) => each.section === section).flatMap(formatSetting);
      return [pc.bold(section), ...lines].join('\n');
    })
    .join('\n\n');
}

function formatSetting({ name, options, meta, default: value, description }: SettingReport): string[] {
  const usage = options.map((option) => (meta === null ? option : `${option} ${meta}`)).join(', ');
  const isEmpty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return [
    `  ${name}${usage === '' ? '' : `  ${usage}`}${isEmpty ? '' : pc.dim(`  default: ${JSON.stringify(value)}`)}`,
    `      ${description}`,
  ];
}
