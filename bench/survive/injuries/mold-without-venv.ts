/** The mold dies while the virtual environment is away, so that no other can be started. */
import { reload, type Scene } from '../scene.ts';

/** So many in vain; the pauses between them double. */
const FAILED_STARTS = 1;

/** Workers serve on; when it is back, there is a mold again. */
export async function killMoldWithoutVenv(scene: Scene): Promise<void> {
  const { herd } = scene;
  const before = await herd.settle();
  const bringBack = herd.site.takeAway('venv');
  await herd.killMolds();
  // Each start, also one that fails at once, is of a generation of its own; so the one before it has failed.
  await herd.until(`${FAILED_STARTS} mold could not be started`, ({ herd: { generation }, molds }) =>
    generation > before.herd.generation + FAILED_STARTS && molds.every(({ phase }) => phase !== 'ready') ? true : null,
  );
  bringBack();
  await herd.settle();
  await reload(scene);
}
