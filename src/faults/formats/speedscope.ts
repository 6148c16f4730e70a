/**
 * The file format of speedscope. Each stack is one sample, weighted by the bytes that it has copied. Stacks are summed
 * up and not in the order of time, so speedscope's "left heavy" view is the one to use.
 *
 * Source: speedscope's src/lib/file-format-spec.ts (SampledProfile), from which its JSON schema is generated.
 */
import type { Profile } from '../profile/profile.ts';

export interface SpeedscopeFile {
  readonly $schema: 'https://www.speedscope.app/file-format-schema.json';
  readonly shared: { readonly frames: readonly { readonly name: string; readonly file?: string }[] };
  readonly profiles: readonly {
    readonly type: 'sampled';
    readonly name: string;
    readonly unit: 'bytes';
    readonly startValue: number;
    readonly endValue: number;
    /** Indexes of frames, from the outermost inwards. */
    readonly samples: readonly (readonly number[])[];
    readonly weights: readonly number[];
  }[];
  readonly name: string;
  readonly activeProfileIndex: number;
  readonly exporter: string;
}

export function speedscopeOf(profile: Profile, title: string, pageBytes: number): SpeedscopeFile {
  const stacks = profile.stacks.filter(({ frames }) => frames.length > 0);
  const weights = stacks.map(({ count }) => count * pageBytes);
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    shared: { frames: profile.frames.map(({ name, file }) => (file === '' ? { name } : { name, file })) },
    profiles: [
      {
        type: 'sampled',
        name: title,
        unit: 'bytes',
        startValue: 0,
        endValue: weights.reduce((sum, weight) => sum + weight, 0),
        samples: stacks.map(({ frames }) => frames),
        weights,
      },
    ],
    name: title,
    activeProfileIndex: 0,
    exporter: 'cowherd',
  };
}
