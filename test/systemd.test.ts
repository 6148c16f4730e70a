/** What systemd asks of a service: socket activation and notifications. */
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PYTHON, ROOT, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { fetchFrom, isListening } from './support/http.ts';

const ACTIVATE = path.join(ROOT, 'test', 'support', 'activate.py');

/** Tells what a worker finds in its environment, and which descriptors it has. */
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
    // One of each, and no copy that would stay open.
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

  test('variables that are meant for another process are not followed, and not handed on', async () => {
    const run = await serving(['hello:app', '--workers', '1'], { files, env: { LISTEN_PID: '1', LISTEN_FDS: '1' } });
    expect((await run.get('/environment')).text).not.toContain('LISTEN_');
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
