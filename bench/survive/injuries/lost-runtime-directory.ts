/** The runtime directory is taken away under the herd. */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { KEEPER_SOCKET } from '../../../src/supervisor/runtime-directory/runtime-directory.ts';
import type { StatusReport } from '../../../src/supervisor/control/status.ts';
import { ensure, eventually, everyday, type Scene } from '../scene.ts';

/** It is made again, and the same herd can be managed. */
export async function loseRuntimeDirectory(scene: Scene, chance: number): Promise<void> {
  const { herd } = scene;
  const { runtimeDirectory } = herd;
  const before = await herd.settle();
  // At once, since the herd may write there meanwhile.
  const gone = `${runtimeDirectory}.gone`;
  renameSync(runtimeDirectory, gone);
  rmSync(gone, { recursive: true });
  ensure(!existsSync(gone), scene, () => `${gone} is still there`);
  // At its control socket, which was in there.
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
