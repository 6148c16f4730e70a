/** The disk under the runtime directory is full. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { HERD_FILE } from '../../../src/supervisor/runtime-directory/runtime-directory.ts';
import { ensure, eventually, everyday, type Scene } from '../scene.ts';

/** Nothing stops; only the next supervisor's help can't be written, and is as soon as there is room again. */
export async function fillDisk(scene: Scene, chance: number): Promise<void> {
  const { herd } = scene;
  const { disk } = herd;
  ensure(disk !== null, scene, () => 'there is no disk to fill');
  await herd.settle();
  disk.fill();
  const before = readHerdFile(herd.runtimeDirectory);
  await everyday(scene, chance);
  ensure(disk.isFull, scene, () => 'the disk is not full any more');
  const during = readHerdFile(herd.runtimeDirectory);
  ensure(during === before, scene, () => `${HERD_FILE} was written on a full disk`);
  const { status, stderr } = await herd.command('status');
  ensure(status === 0, scene, () => `cowherd status ended with ${status}: ${stderr}`);
  disk.free();
  await eventually(scene, `${HERD_FILE} is written again`, () =>
    readHerdFile(herd.runtimeDirectory) === before ? null : true,
  );
}

function readHerdFile(runtimeDirectory: string): string {
  return readFileSync(path.join(runtimeDirectory, HERD_FILE), 'utf8');
}
