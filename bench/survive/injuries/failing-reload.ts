/** Reloads that can't be carried out, for reasons outside of Cowherd. */
import { catalogue } from '../../../src/base/error-catalogue.ts';
import { ensure, reload, type Scene } from '../scene.ts';

interface Obstacle {
  /** Puts it in the way; what is returned takes it away. */
  readonly raise: (scene: Scene) => () => void;
  /** What the command has to say of it. */
  readonly told: RegExp;
}

export const OBSTACLES = {
  /** A port beyond all ports. */
  address: {
    raise: ({ herd: { site } }) => configured(site, ['127.0.0.1:99999']),
    told: /ADDRESS_UNAVAILABLE: 127\.0\.0\.1:99999 /,
  },
  /** More than a C int can be; it counts at a new address. */
  backlog: {
    raise: ({ herd: { site } }) => configured(site, ['127.0.0.2:0'], 'backlog = 3000000000\n'),
    told: /ADDRESS_UNAVAILABLE: 127\.0\.0\.2:0 \(OverflowError/,
  },
  venv: {
    raise: ({ herd: { site } }) => site.takeAway('venv'),
    told: /No such file or directory: \S+\/\.venv\/bin\/python/,
  },
  folder: {
    raise: ({ herd: { site } }) => site.takeAway('folder'),
    told: /No such file or directory: \S+\/site\b(?!\/)/,
  },
} satisfies Record<string, Obstacle>;

/**
 * `cowherd reload` says why it failed. The same mold and generation go on; and when what was in the way is gone,
 * a reload succeeds.
 */
export async function failToReload(scene: Scene, { raise, told }: Obstacle): Promise<void> {
  const { herd } = scene;
  const before = await herd.settle();
  const clear = raise(scene);
  const { status, stderr } = await herd.command('reload');
  const expected = catalogue.ROLLOUT_FAILED.exitStatus;
  ensure(status === expected, scene, () => `cowherd reload ended with ${status}, not ${expected}: ${stderr}`);
  ensure(stderr.includes('ROLLOUT_FAILED') && told.test(stderr), scene, () => `cowherd reload says: ${stderr}`);
  const after = await herd.settle();
  const failure = after.herd.last_rollout?.failure;
  ensure(typeof failure === 'string' && told.test(failure), scene, () => `the status says of the reload: ${failure}`);
  for (const what of ['generation', 'workers_wanted'] as const) {
    ensure(after.herd[what] === before.herd[what], scene, () => `${what} is ${after.herd[what]} after it`);
  }
  const [was, is] = [before.herd.supervisor.pid, after.herd.supervisor.pid];
  ensure(was === is, scene, () => `the supervisor was ${was}, and is ${is}`);
  const moldOf = ({ molds, herd: { generation } }: typeof before): number | null | undefined =>
    molds.find((mold) => mold.generation === generation)?.pid;
  ensure(moldOf(after) === moldOf(before), scene, () => `the mold is ${moldOf(after)} after it`);
  clear();
  await reload(scene);
}

function configured(site: Scene['herd']['site'], binds: readonly string[], more = ''): () => void {
  site.configure(binds, more);
  return () => site.configure();
}
