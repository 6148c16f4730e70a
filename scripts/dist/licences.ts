/** The licences of all that is in the bundle, in one text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Bundled } from './bundle.ts';
import { manifestOf } from './manifest.ts';
import { ROOT } from './run.ts';

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** Texts of licences that some packages name and do not bring. */
const TEXTS = path.join(ROOT, 'packaging', 'licences');

/** @throws Error for a library without a licence, or without its text */
export function thirdPartyLicences(bundled: Bundled): string {
  return `Cowherd contains these libraries.\n\n${bundled.map(licenceOf).join('\n')}`;
}

function licenceOf(folder: string): string {
  const where = path.join(ROOT, folder);
  const { name, version, license } = manifestOf(folder);
  const own = readdirSync(where)
    .filter((file) => LICENCE_FILE.test(file))
    .sort();
  const named = path.join(TEXTS, `${license ?? ''}.txt`);
  if (own.length === 0 && !existsSync(named)) throw new Error(`${name} is bundled, and has no text of its licence`);
  const files = own.length > 0 ? own.map((file) => path.join(where, file)) : [named];
  const texts = files.map((file) => readFileSync(file, 'utf8').trim());
  return ['='.repeat(80), `${name} ${version} (${license ?? 'see below'})`, '', ...texts, ''].join('\n');
}
