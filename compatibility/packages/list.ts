/** The list of packages, `packages.toml`: what it says of each, and its check. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import * as v from 'valibot';

export const FOLDER = import.meta.dirname;
export const LIST = path.join(FOLDER, 'packages.toml');

/** What a difference is about. Nothing else is compared. */
export const DIFFERENCE_KINDS = ['start', 'answer', 'warning', 'output', 'reload', 'refork', 'stop'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export const SERVICES = ['postgresql', 'redis', 'memcached', 'mariadb', 'http'] as const;
export type ServiceName = (typeof SERVICES)[number];

const Exception = v.strictObject({
  kind: v.picklist(DIFFERENCE_KINDS),
  /** A regular expression that the difference's text matches. */
  pattern: v.string(),
  reason: v.pipe(v.string(), v.minLength(20)),
  /** Only on these interpreters; on all of them without it. */
  pythons: v.optional(v.array(v.string())),
});

const Package = v.strictObject({
  /** Of the distribution, as the Python index has it. */
  name: v.string(),
  /** What else is installed with it; its extras too, as `name[extra]`. */
  install: v.optional(v.array(v.string()), []),
  /** Arguments of the installer, where the index's newest wheel is not what a web application installs. */
  installer: v.optional(v.array(v.string()), []),
  /** The module in `uses`; by default the name with underscores. */
  use: v.optional(v.string()),
  worker: v.optional(v.picklist(['sync', 'asgi', 'gevent', 'gthread']), 'sync'),
  services: v.optional(v.array(v.picklist(SERVICES)), []),
  /** A program in `companions` that runs beside, with the same interpreter; its argument is the port to listen on. */
  companion: v.optional(v.string()),
  /** Set for both servers. */
  environment: v.optional(v.record(v.string(), v.string()), {}),
  /** By interpreter, such as "3.14": why the package cannot be had for it. */
  not_for: v.optional(v.record(v.string(), v.string()), {}),
  exceptions: v.optional(v.array(Exception), []),
});

const List = v.strictObject({ package: v.array(Package) });

export type NamedException = v.InferOutput<typeof Exception>;
export type Package = Omit<v.InferOutput<typeof Package>, 'use'> & { readonly use: string };

/** Sorted by name. Throws with the place of what is wrong in it. */
export function parseList(text: string): Package[] {
  const { package: packages } = v.parse(List, parse(text));
  const sorted = packages.map(withUse).sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  for (const [index, each] of sorted.entries()) {
    if (sorted[index + 1]?.name.toLowerCase() === each.name.toLowerCase()) {
      throw new Error(`${each.name} is in the list twice`);
    }
  }
  return sorted;
}

function withUse(each: v.InferOutput<typeof Package>): Package {
  const { use = each.name.toLowerCase().replaceAll(/[-.]/g, '_'), ...rest } = each;
  return { use, ...rest };
}

export function readList(): Package[] {
  return parseList(readFileSync(LIST, 'utf8'));
}
