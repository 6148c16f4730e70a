/** systemd's interface to a service: socket activation and notifications. */
import { spawn } from 'node:child_process';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PYTHON, ROOT, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { fetchFrom, isListening } from './support/http.ts';
import { until } from './support/until.ts';

const ACTIVATE = path.join(ROOT, 'test', 'support', 'activate.py');

/** Answers with a worker's environment variables, and with the number of its listening sockets. */
const APP = `
import os, socket
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/environment":
        return ["\\n".join(sorted(os.environ)).encode()]
    if environ["PATH_INFO"] == "/listening":
        count = 0
        for name in os.listdir("/proc/self/fd"):
            try:
                found = socket.socket(fileno=os.dup(int(name)))
                count += found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                found.close()
            except OSError:
                pass
        return [str(count).encode()]
    return [b"well"]
`;
const files = { 'hello.py': APP };

describe('socket activation', () => {
  const activated = async (args: readonly string[], ...addresses: string[]): Promise<Run> =>
    await serving(['hello:app', '--workers', '1', ...args], {
      files,
      prefix: [PYTHON, ACTIVATE, ...addresses, '--'],
    });

  test("systemd's sockets are listened on instead of the binds, at a reload too; its socket files stay", async () => {
    const folder = temporaryFolder();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const socket = path.join(folder, 'web.sock');
    const run = await activated(['--bind', '127.0.0.1:1'], 'tcp', socket);
    const inode = statSync(socket).ino;
    expect(run.addresses).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d{2,}$/), `unix:${socket}`]);
    const all = async (): Promise<string[]> =>
      await Promise.all(run.addresses.map(async (address) => (await fetchFrom(address, '/')).text));
    expect(await all()).toEqual(['well', 'well']);
    expect((await run.get('/environment')).text).not.toMatch(/LISTEN_|COWHERD_SOCKETS/);
    // One of each, without copies that would stay open.
    expect((await run.get('/listening')).text).toBe('2');
    await run.command('reload', '--runtime-dir', run.runtimeDirectory);
    expect(await all()).toEqual(['well', 'well']);
    expect((await run.get('/environment')).text).not.toMatch(/LISTEN_|COWHERD_SOCKETS/);
    expect((await run.get('/listening')).text).toBe('2');
    const [tcp] = run.addresses;
    run.signal('SIGTERM');
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    expect(run.processes).toEqual([]);
    expect(await isListening(tcp!)).toBe(false);
    expect(statSync(socket).ino).toBe(inode);
  });

  test('variables that are meant for another process are ignored, and not passed on', async () => {
    const run = await serving(['hello:app', '--workers', '1'], { files, env: { LISTEN_PID: '1', LISTEN_FDS: '1' } });
    expect((await run.get('/environment')).text).not.toContain('LISTEN_');
    await run.stop();
  });

  test('they outlive the keeper: the next one has them too', async () => {
    const run = await activated([], 'tcp');
    const { pid } = (await run.status()).herd.keeper;
    process.kill(pid!, 'SIGKILL');
    const other = await until('another keeper', async () => {
      const { keeper, workers_ready: ready } = (await run.status()).herd;
      return keeper.pid !== pid && ready === 1 ? keeper.pid : null;
    });
    expect(other).not.toBeNull();
    expect((await run.get('/')).text).toBe('well');
    expect((await run.get('/listening')).text).toBe('1');
    await run.stop();
  });

  test('a bind of fd://N listens on the socket that this process was started with', async () => {
    const run = await activated(['--bind', 'fd://4'], '--without-variables', 'tcp', 'tcp');
    expect(run.addresses.length).toBe(1);
    expect((await run.get('/')).text).toBe('well');
    expect((await run.get('/listening')).text).toBe('1');
    await run.stop();
  });
});

describe('notifications (sd_notify(3))', () => {
  /** Listens like the service manager, and returns each notification as it was sent. */
  async function serviceManager(address: string): Promise<{ texts: () => string[][] }> {
    const program = `
import json, socket, sys
address = sys.argv[1]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("\\0" + address[1:] if address.startswith("@") else address)
print("listening", flush=True)
while True:
    print(json.dumps(manager.recv(65536).decode()), flush=True)
`;
    const manager = spawn(PYTHON, ['-c', program, address], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void manager.kill('SIGKILL'));
    let output = '';
    manager.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until('it listens', () => output.startsWith('listening\n'));
    const texts = (): string[][] =>
      output
        .split('\n')
        .slice(1, -1)
        .map((line) => (JSON.parse(line) as string).split('\n'));
    return { texts };
  }

  test('READY, RELOADING and READY, WATCHDOG, STOPPING; and no process of the herd has the variables', async () => {
    const address = `@cowherd-test-${process.pid}`;
    const manager = await serviceManager(address);
    const all = (): string[] => manager.texts().flat();
    const count = (line: string): number => all().filter((each) => each === line).length;
    const run = await serving(['hello:app', '--workers', '2'], {
      files,
      env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '1000000' },
    });
    await until('READY', () => count('READY=1') === 1);
    expect(manager.texts().find((lines) => lines.includes('READY=1'))).toEqual(
      expect.arrayContaining([
        `MAINPID=${run.pid}`,
        expect.stringMatching(/^STATUS=Generation 1: 2 of 2 workers ready, 0 requests$/),
      ]),
    );
    expect((await run.get('/environment')).text).not.toMatch(/NOTIFY_SOCKET|WATCHDOG/);

    const beatsBefore = count('WATCHDOG=1');
    await until('the watchdog hears of it', () => count('WATCHDOG=1') >= beatsBefore + 2);

    const before = process.hrtime.bigint() / 1000n;
    run.signal('SIGHUP');
    await until('READY again', () => count('READY=1') === 2);
    const reloading = manager.texts().find((lines) => lines.includes('RELOADING=1')) ?? [];
    const microseconds = BigInt(reloading.find((line) => line.startsWith('MONOTONIC_USEC='))?.split('=')[1] ?? '0');
    expect(microseconds).toBeGreaterThanOrEqual(before);
    expect(microseconds).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
    expect(all().indexOf('RELOADING=1')).toBeLessThan(all().lastIndexOf('READY=1'));

    await run.stop();
    await until('STOPPING', () => count('STOPPING=1') === 1);
    expect(count('READY=1')).toBe(2);
  });

  test('a supervisor that adopts the herd of one that was killed is the main process from then on', async () => {
    const address = `@cowherd-test-adopted-${process.pid}`;
    const manager = await serviceManager(address);
    const env = { NOTIFY_SOCKET: address };
    const args = ['hello:app', '--workers', '2', '--bind', 'unix:web.sock'];
    const killed = await serving(args, { files, env });
    const before = (await killed.workers()).map((worker) => worker.pid);
    killed.signal('SIGKILL');
    await killed.ended;
    const { runtimeDirectory, folder: cwd } = killed;
    const next = serve(args, { env, runtimeDirectory, cwd });
    await until('READY of the next', () => manager.texts().find((lines) => lines.includes(`MAINPID=${next.pid}`)));
    expect((await next.workers()).map((worker) => worker.pid).toSorted()).toEqual(before.toSorted());
    await next.stop();
    expect(killed.processes).toEqual([]);
    expect(manager.texts().flat()).toContain('STOPPING=1');
  });

  test('at a path; a reload that fails ends with READY and says why', async () => {
    const folder = temporaryFolder();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const address = path.join(folder, 'notify');
    const manager = await serviceManager(address);
    const run = await serving(['hello:app', '--workers', '1'], { files, env: { NOTIFY_SOCKET: address } });
    writeFileSync(path.join(run.folder, 'hello.py'), 'raise RuntimeError("broken")\n');
    run.signal('SIGHUP');
    const last = await until('READY again', () => {
      const ready = manager.texts().filter((lines) => lines.includes('READY=1'));
      return ready.length === 2 ? ready[1] : null;
    });
    expect(last.join('\n')).toMatch(/STATUS=.*the last reload failed: .*APP_IMPORT_FAILED: .*broken/);
    expect((await run.get('/')).text).toBe('well');
    await run.stop();
  });
});
