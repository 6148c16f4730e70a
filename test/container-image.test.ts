/**
 * The image of packaging/container, and one of an application on top of it: built with buildah on a root that
 * debootstrap makes, run with runc as an ordinary user on a read-only root. `make test-container`.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf } from './docs/blocks.ts';
import { packageFile } from './packages/installing.ts';
import { type Container, downloadWheels, Images, IMAGES_NEEDED } from './support/container-image.ts';
import { ROOT, temporaryFolder } from './support/cowherd.ts';
import { needs, where } from './support/needs.ts';
import { until } from './support/until.ts';

const ASKED_FOR = where(process.env['COWHERD_CONTAINER_IMAGE'] === '1', 'not asked for: make test-container');
const LARGEST_MIB = 250;

describe('the image', needs(ASKED_FOR, IMAGES_NEEDED), () => {
  let images = new Images('');
  const running: Container[] = [];

  beforeAll(async () => {
    const folder = temporaryFolder();
    images = new Images(folder);
    const context = path.join(folder, 'packages');
    mkdirSync(context);
    const wheel = await packageFile(/^cowherd_server.*whl$/);
    copyFileSync(wheel, path.join(context, path.basename(wheel)));
    downloadWheels(context);
    images.makeBase('localhost/debian-python');
    images.build('localhost/cowherd', path.join(ROOT, 'packaging', 'container', 'Containerfile'), context, {
      BASE: 'localhost/debian-python',
      PIP_NO_INDEX: '1',
    });
    images.build('localhost/shop', ...applicationOf(folder));
  });

  afterAll(() => {
    for (const container of running) container.discard();
    images.remove();
  });

  /** The Containerfile of docs/containers.md, with an application beside it. */
  function applicationOf(folder: string): [containerfile: string, context: string] {
    const context = path.join(folder, 'shop');
    cpSync(path.join(ROOT, 'test', 'docs', 'project'), context, { recursive: true });
    writeFileSync(path.join(context, 'requirements.txt'), '');
    const page = readFileSync(path.join(ROOT, 'docs', 'containers.md'), 'utf8');
    const file = path.join(context, 'Containerfile');
    writeFileSync(file, blocksOf(page).find(({ language }) => language === 'dockerfile')?.text ?? '');
    return [file, context];
  }

  async function started(args: readonly string[] | null = null): Promise<Container> {
    const container = images.run('localhost/shop', args);
    running.push(container);
    await until(
      () => `it serves:\n${container.output}`,
      () => container.output.includes('Serving: every worker is ready'),
    );
    return container;
  }

  const get = (container: Container): string =>
    container.exec('python3', '-c', 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8000/").status)')
      .stdout;

  test('is of an ordinary user, has the health check, and is not much larger than Node', () => {
    const { User, Healthcheck, Entrypoint } = images.inspect('localhost/cowherd');
    expect(User).toBe('10001:10001');
    expect(Entrypoint.slice(0, 2)).toEqual(['cowherd', 'serve']);
    expect(Healthcheck.Test).toEqual(['CMD', 'cowherd', 'status', '--ready', ...Entrypoint.slice(2)]);
    const added = images.bytes('localhost/cowherd') - images.bytes('localhost/debian-python');
    expect(added / 2 ** 20).toBeLessThan(LARGEST_MIB);
  });

  test('serves on a read-only root, healthy; leaves in order on TERM, with status 0', async () => {
    const container = await started();
    expect(container.output).toContain('/opt/cowherd/bin/python');
    expect(get(container)).toBe('200\n');
    expect(container.isHealthy()).toBe(true);
    expect(container.exec('touch', '/opt/cowherd/new').status).not.toBe(0);
    expect(container.exec('id', '-u').stdout).toBe('10001\n');
    // The shell that reaps is process 1, and Node its child.
    expect(container.exec('cat', '/proc/1/comm').stdout).toBe('sh\n');
    container.kill('TERM');
    expect(await container.ended, container.output).toBe(0);
    expect(container.output).toContain('Worker exiting');
  });

  test('reloads on HUP; takes other arguments', async () => {
    const container = await started(['shop:app', '--workers', '1', '--threads', '2']);
    container.kill('HUP');
    await until(
      () => `it reloads:\n${container.output}`,
      () => container.output.includes('Reload done'),
    );
    expect(get(container)).toBe('200\n');
    const status = container.exec('cowherd', 'status', '--json', '--runtime-dir', '/run/cowherd/herd');
    expect(JSON.parse(status.stdout)).toHaveProperty('herd.generation', 2);
    container.kill('TERM');
    expect(await container.ended).toBe(0);
  });
});
