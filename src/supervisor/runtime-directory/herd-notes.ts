/** Names a herd in a command's answer by the supervisor's notes (herd-file.ts), without asking anybody. */
import * as v from 'valibot';
import { readHerdData } from './herd-file.ts';

/** The parts of the supervisor's notes that commands use. */
export interface Notes {
  readonly supervisorPid: number | null;
  readonly app: string | null;
  readonly folder: string | null;
  readonly listeners: string[];
  readonly workersWanted: number | null;
  readonly phase: string | null;
}

export interface HerdNames {
  readonly app: string | null;
  /** Where `cowherd serve` was run. */
  readonly folder: string | null;
  readonly runtime_directory: string;
}

/** Which herd an answer is about: `shop:app of /srv/shop (/run/cowherd/shop-1a2b3c-4d5e6f)`. */
export function nameOfHerd(directory: string): string {
  const saved = notesOf(directory);
  return herdLabel({ app: saved?.app ?? null, folder: saved?.folder ?? null, runtime_directory: directory });
}

export function herdLabel({ app, folder, runtime_directory: directory }: HerdNames): string {
  const of = folder === null ? '' : ` of ${folder}`;
  return `${app === null || app === '' ? 'the application' : app}${of} (${directory})`;
}

const texts = v.array(v.string());
const notes = v.object({
  supervisorPid: v.fallback(v.nullable(v.number()), null),
  origin: v.object({ cwd: v.fallback(v.nullable(v.string()), null) }),
  state: v.object({
    settings: v.fallback(v.nullable(v.object({ app: v.string() })), null),
    listeners: v.fallback(v.nullable(texts), null),
    target: v.fallback(v.nullable(v.number()), null),
    phase: v.fallback(v.nullable(v.string()), null),
  }),
});

/**
 * The supervisor's notes; null if there are none. Every field is checked, because root may read another user's forgery.
 */
export function notesOf(directory: string): Notes | null {
  const read = v.safeParse(notes, readHerdData(directory).saved);
  if (!read.success) return null;
  const { supervisorPid, origin, state } = read.output;
  return {
    supervisorPid,
    app: state.settings?.app ?? null,
    folder: origin.cwd,
    listeners: state.listeners ?? [],
    workersWanted: state.target,
    phase: state.phase,
  };
}
