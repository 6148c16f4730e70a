/** The mold dies while the virtual environment is away, so that no new mold can be started. */
import { reload, type Scene } from '../scene.ts';

/** How many starts have to fail. The pauses between them double. */
const FAILED_STARTS = 1;

/** Workers keep serving. When the virtual environment is back, there is a mold again. */
export async function killMoldWithoutVenv(scene: Scene): Promise<void> {
  const { herd } = scene;
  const before = await herd.settle();
  const bringBack = herd.site.takeAway('venv');
  await herd.killMolds();
  // Each start has its own generation, even one that fails at once. So the start before the latest one has failed.
  await herd.until(`${FAILED_STARTS} mold could not be started`, ({ herd: { generation }, molds }) =>
    generation > before.herd.generation + FAILED_STARTS && molds.every(({ phase }) => phase !== 'ready') ? true : null,
  );
  bringBack();
  await herd.settle();
  await reload(scene);
}
