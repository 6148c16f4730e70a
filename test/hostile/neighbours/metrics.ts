/** Attacks on the metrics endpoint at a loopback address, which every user of the machine can reach. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

/** Slow visitors are dropped after 5 s; then there is room again. */
const ANSWERS_WITHIN_MS = 15_000;
const FLOOD_MS = 5_000;
const FLOOD_LOOKS = 20;
const MOST_GROWTH_BYTES = 64 << 20;

export const METRICS_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: 'other paths, hosts and methods at the metrics endpoint',
    attempt: async (stage) => {
      const said = await stage.mallory.run(
        `
def status(data):
    try:
        with socket.create_connection(("127.0.0.1", PORT), 2) as visitor:
            visitor.sendall(data)
            return visitor.recv(4096).split(b" ")[1]
    except (OSError, IndexError):
        return b""
def head(method=b"GET", path=b"/metrics", host=b"localhost"):
    return method + b" " + path + b" HTTP/1.1\\r\\nHost: " + host + b"\\r\\nConnection: close\\r\\n\\r\\n"
came_through = [] if status(head()) == b"200" else ["nobody is answered"]
for path in (b"/", b"/metrics/../../../etc/passwd", b"//metrics", b"http://evil.example/metrics", b"/%6detrics", b"*"):
    if status(head(path=path)) == b"200":
        came_through.append("the path " + path.decode())
for host in (b"evil.example", b"localhost.evil.example", b"localhost@evil.example", b"evil.example#localhost", b""):
    if status(head(host=host)) == b"200":
        came_through.append("the host " + host.decode())
for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"CONNECT"):
    if status(head(method=method)) == b"200":
        came_through.append("the method " + method.decode())
tell(json.dumps(came_through))
`,
        { PORT: stage.metricsPort },
      );
      return (JSON.parse(said) as string[]).map((what) => `the metrics endpoint: ${what}`);
    },
  },
  {
    name: 'a flood of the metrics endpoint: half requests, endless heads, thousands of requests and no reader',
    attempt: async (stage) => {
      const before = (await stage.status())?.herd.supervisor.rss ?? 0;
      const flood = stage.mallory.run(
        `
REQUEST = b"GET /metrics HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
held, sent = [], 0
until = time.monotonic() + SECONDS
while time.monotonic() < until:
    for data in (b"", b"GET /metr", REQUEST[:-2] + b"X: y\\r\\n" * 1000, REQUEST * 5000, REQUEST[:-2] + b"X: " + b"y" * 2**20):
        try:
            visitor = socket.create_connection(("127.0.0.1", PORT), 0.2)
            held.append(visitor)
            visitor.sendall(data)
            sent += 1
        except OSError:
            pass
    for visitor in held[:-100]:
        visitor.close()
    del held[:-100]
tell(str(sent))
`,
        { PORT: stage.metricsPort, SECONDS: FLOOD_MS / 1000 },
      );
      const harm: string[] = [];
      for (let look = 0; look < FLOOD_LOOKS; look += 1) {
        if ((await stage.status()) === null) harm.push('the supervisor does not answer during a flood of its metrics');
        await sleep(FLOOD_MS / FLOOD_LOOKS);
      }
      if (Number(await flood) === 0) throw new Error('not one visitor came');
      if (!(await isAnsweredSoon(stage))) harm.push('the metrics endpoint does not answer after a flood');
      const grown = ((await stage.status())?.herd.supervisor.rss ?? 0) - before;
      if (grown > MOST_GROWTH_BYTES) harm.push(`the supervisor has grown by ${Math.round(grown / 2 ** 20)} MiB`);
      return [...new Set(harm)];
    },
  },
];

async function isAnsweredSoon({ metricsPort }: Stage): Promise<boolean> {
  const deadline = performance.now() + ANSWERS_WITHIN_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`).catch(() => null);
    if (answer?.status === 200 && (await answer.text()).includes('cowherd_info')) return true;
    await sleep(200);
  }
  return false;
}
