/** Attacks by visitors of a herd on its log. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { harmOf, shows, steers } from '../harm.ts';
import type { NeighbourAttack } from './attack.ts';

const PORT = 18_081;
const SECRET_QUERY = 'token=a-secret-of-4711';
/** Percent-encoded: a log line, and the escape sequence that changes the title of a terminal. */
const PATH = '/slow%0a[CRITICAL]%20forged%20line%1b[31m%1b]0;PWN%07%e2%80%ae';

export const LOG_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: 'a request path that is a line of the log, under way when the herd ends',
    attempt: async (stage) => {
      const log = path.join(stage.folder, 'slow.log');
      const words = ['slow:app', '--python', stage.python, '--worker-class', 'asgi', '--bind', `127.0.0.1:${PORT}`];
      const more = [
        '--graceful-timeout',
        '1',
        '--error-logfile',
        log,
        '--runtime-dir',
        path.join(stage.folder, 'slow'),
      ];
      const ran = await stage.root.serve([...words, ...more], { cwd: stage.folder, log }, async () => {
        await stage.mallory.begin(
          `
visit = socket.create_connection(("127.0.0.1", PORT))
visit.sendall(f"GET {PATH}?{QUERY} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
tell("sent")
visit.recv(1)
`,
          { PORT, PATH, QUERY: SECRET_QUERY },
        );
        // Long enough for the worker to get the request.
        await sleep(500);
      });
      const text = (existsSync(log) ? readFileSync(log, 'utf8') : '') + ran.output;
      rmSync(log, { force: true });
      if (!shows(text)) throw new Error(`the log does not tell of the request: ${text}`);
      const harm = harmOf('serve', ran);
      const steering = steers(text);
      if (steering !== null) harm.push(`the log: ${steering}`);
      if (text.includes(SECRET_QUERY)) harm.push('the log has the query of a request');
      return harm;
    },
  },
];
