/** Every mold is killed while a reload is under way. */
import { ensure, reload, type Scene } from '../scene.ts';

/** Attempts, since a reload may end between the look and the kill. */
const MOST_ATTEMPTS = 10;

/** The reload fails, the herd gets a mold again, and the next reload succeeds. */
export async function killMoldsInReload(scene: Scene): Promise<void> {
  const { herd } = scene;
  for (let attempt = 1; ; attempt += 1) {
    herd.site.writeVersion();
    const generation = await herd.begin('reload');
    await herd.until('the new mold is there', (report) => {
      const isThere = report.molds.some((mold) => mold.generation === generation && mold.pid !== null);
      return isThere || report.herd.last_rollout?.to === generation ? true : null;
    });
    await herd.killMolds();
    const { failure } = await herd.ended(generation);
    await herd.settle();
    if (failure !== null) break;
    ensure(attempt < MOST_ATTEMPTS, scene, () => `${attempt} reloads succeeded though all molds were killed`);
  }
  await reload(scene);
}
