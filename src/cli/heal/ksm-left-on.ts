/** Reports that KSM is still on because a process of Cowherd was killed while it healed. */
import { KSM_FOLDER } from '../../procfs/ksm.ts';
import { KsmSwitch } from '../../supervisor/ksm/ksm-switch.ts';

export const KSM_LEFT_ADVICE = `Run \`cowherd heal\` as root, which first puts the host's settings back, or stop it: echo 0 > ${KSM_FOLDER}/run`;

/** A line for people; null if KSM was not left on, or this user can't know. */
export function ksmLeftOn(ksm = new KsmSwitch()): string | null {
  const left = ksm.leftBehind();
  if (left.length === 0) return null;
  const what = left.map(({ file, from, to }) => `${file} ${to}, before ${from}`).join('; ');
  return `KSM was left on by a process that was killed while it healed (${what}). ${KSM_LEFT_ADVICE}`;
}
