/** The runtime directory is removed while the herd serves. */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { KEEPER_SOCKET } from '../../../src/supervisor/runtime-directory/runtime-directory.ts';
import type { StatusReport } from '../../../src/supervisor/control/status.ts';
import { ensure, eventually, everyday, type Scene } from '../scene.ts';

/** The directory is made again, and the same herd can be managed. */
export async function loseRuntimeDirectory(scene: Scene, chance: number): Promise<void> {
  const { herd } = scene;
  const { runtimeDirectory } = herd;
  const before = await herd.settle();
  // Renamed first, so that it is gone at once: the herd may write there during the removal.
  const gone = `${runtimeDirectory}.gone`;
  renameSync(runtimeDirectory, gone);
  rmSync(gone, { recursive: true });
  ensure(!existsSync(gone), scene, () => `${gone} is still there`);
  // At the control socket, which was in the directory.
  await herd.until('the herd answers again', (report) => report);
  const mode = statSync(runtimeDirectory).mode & 0o777;
  ensure(mode === 0o700, scene, () => `${runtimeDirectory} has mode ${mode.toString(8)}`);
  const { status, stdout, stderr } = await herd.command('status', '--json');
  ensure(status === 0, scene, () => `cowherd status ended with ${status}: ${stderr}`);
  const report = JSON.parse(stdout) as StatusReport;
  const [was, is] = [before.herd.supervisor.pid, report.herd.supervisor.pid];
  ensure(was === is, scene, () => `the supervisor was ${was}, and is ${is}`);
  await eventually(scene, 'the keeper can be found again', () =>
    existsSync(path.join(runtimeDirectory, KEEPER_SOCKET)) ? true : null,
  );
  await everyday(scene, chance);
}
