/** The list of packages, `packages.toml`: its keys, and its validation. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import * as v from 'valibot';

export const FOLDER = import.meta.dirname;
export const LIST = path.join(FOLDER, 'packages.toml');

/** The kinds of differences. Nothing else is compared. */
export const DIFFERENCE_KINDS = ['start', 'answer', 'warning', 'output', 'reload', 'refork', 'stop'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export const SERVICES = ['postgresql', 'redis', 'memcached', 'mariadb', 'http'] as const;
export type ServiceName = (typeof SERVICES)[number];

const Exception = v.strictObject({
  kind: v.picklist(DIFFERENCE_KINDS),
  /** A regular expression that the difference's text matches. */
  pattern: v.string(),
  reason: v.pipe(v.string(), v.minLength(20)),
  /** Only on these interpreters; by default on all. */
  pythons: v.optional(v.array(v.string())),
});

const Package = v.strictObject({
  /** The name of the distribution on the Python index. */
  name: v.string(),
  /** Other packages to install with it, and its extras as `name[extra]`. */
  install: v.optional(v.array(v.string()), []),
  /** Arguments of the installer, if a web application doesn't install the index's newest wheel. */
  installer: v.optional(v.array(v.string()), []),
  /** The module in `uses`; by default the name with underscores. */
  use: v.optional(v.string()),
  worker: v.optional(v.picklist(['sync', 'asgi', 'gevent', 'gthread']), 'sync'),
  services: v.optional(v.array(v.picklist(SERVICES)), []),
  /** A program in `companions` that runs meanwhile with the same interpreter; its argument is the port to listen on. */
  companion: v.optional(v.string()),
  /** Variables for both servers. */
  environment: v.optional(v.record(v.string(), v.string()), {}),
  /** By interpreter, such as "3.14": why the package is not available for it. */
  not_for: v.optional(v.record(v.string(), v.string()), {}),
  exceptions: v.optional(v.array(Exception), []),
});

const List = v.strictObject({ package: v.array(Package) });

export type NamedException = v.InferOutput<typeof Exception>;
export type Package = Omit<v.InferOutput<typeof Package>, 'use'> & { readonly use: string };

/** The packages, sorted by name. Throws an error that names the place of a mistake. */
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
