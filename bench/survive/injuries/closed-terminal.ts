/** The terminal of the supervisor is closed, or that of the whole herd, if it was started in one. */
import { existsSync, readlinkSync } from 'node:fs';
import { ensure, everyday, type Scene } from '../scene.ts';

/** No process ends: the same supervisor keeps managing the herd. */
export async function closeTerminal(scene: Scene, chance: number): Promise<void> {
  const { herd } = scene;
  if (herd.terminal?.isOpen !== true) await herd.killSupervisor(0, { inTerminal: true });
  const before = await herd.settle();
  const { pid } = before.herd.supervisor;
  const device = readlinkSync(`/proc/${pid}/fd/2`);
  ensure(/^\/dev\/pts\/\d+$/.test(device), scene, () => `the supervisor writes to ${device}, which is no terminal`);
  await herd.terminal?.close();
  const now = readlinkSync(`/proc/${pid}/fd/2`);
  ensure(now !== device || !existsSync(device), scene, () => `${device} is still there`);
  await everyday(scene, chance);
  const after = await herd.settle();
  ensure(after.herd.supervisor.pid === pid, scene, () => `supervisor ${pid} is not there any more`);
  // Restarts the supervisor outside of a terminal, where its log can be read.
  await herd.killSupervisor(0);
}
