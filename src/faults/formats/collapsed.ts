/**
 * Collapsed stacks, which flamegraph.pl, inferno, speedscope and others read. Each stack is a line: its frames from the
 * outermost inwards, separated by semicolons, then a blank and the number of faults.
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

/** Python functions are distinguished by file. Characters that would end a frame or control a terminal are replaced. */
function frameName({ name, file, language }: ProfileFrame): string {
  const text = language === 'python' && file !== '' ? `${name} (${file})` : name;
  return printable(text.replaceAll(';', ':'));
}
