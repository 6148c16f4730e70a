/** Says in one line why data does not fit its schema: the first field that is wrong, and how. */
import * as v from 'valibot';
import { printable } from './printable.ts';

/** The data may be foreign: a wrong value can have any length. */
const MOST_CHARACTERS = 200;

/** For example `state.molds.3.pid: Expected number but received "x"`, or `state.target is missing`. */
export function firstIssue([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const path = v.getDotPath(issue);
  const what = issue.message.replace(/^Invalid (?:type|key): /, '');
  if (path === null) return cut(what);
  return issue.received === 'undefined' ? `${cut(path)} is missing` : cut(`${path}: ${what}`);
}

function cut(text: string): string {
  return printable(text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`);
}
