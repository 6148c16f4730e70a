/**
 * Collapsed stacks: a line a stack, its frames from the outermost inwards with semicolons between them, a blank, and the
 * number of faults. flamegraph.pl, inferno, speedscope and others read it.
 *
 * Source: https://github.com/brendangregg/FlameGraph (README, "Fold stacks"; stackcollapse-perf.pl).
 */
import { printable } from '../../base/printable.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileFrame } from '../perf/profile-frame.ts';

export function collapsedOf(profile: Profile): string {
  const names = profile.frames.map(frameName);
  const lines = profile.stacks
    .filter(({ frames }) => frames.length > 0)
    .map(({ frames, count }) => `${frames.map((frame) => names[frame] ?? '').join(';')} ${count}\n`);
  return lines.join('');
}

/** Python functions are told apart by their file; nothing in a name may end it, or steer the terminal of who reads it. */
function frameName({ name, file, language }: ProfileFrame): string {
  const text = language === 'python' && file !== '' ? `${name} (${file})` : name;
  return printable(text.replaceAll(';', ':'));
}
