/** Attacks that try to make a command or a supervisor spend memory, time or connections. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { CONTROL_VERSION } from '../../../src/supervisor/control/control-messages.ts';
import { harmOf } from '../harm.ts';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

const MIB = 1024 * 1024;
/** A snapshot of 1 TiB of memory takes 256 MiB when unfolded, and Node has it twice for a moment. */
const MOST_FOR_A_SNAPSHOT_BYTES = 1024 * MIB;
/** How much the supervisor may grow under a flood at its own socket. */
const MOST_GROWTH_BYTES = 256 * MIB;

export const BOUND_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: 'a process with 32 TiB of memory that it does not have: why',
    attempt: async (stage) => {
      const weapon = await stage.mallory.begin(`reserve(32 << 40); family()`);
      const { child } = JSON.parse(weapon.first) as { child: number };
      return await looked(stage, child);
    },
  },
  {
    name: 'a process with 60,000 mappings: why',
    attempt: async (stage) => {
      const weapon = await stage.mallory.begin(
        `
many = mmap.mmap(-1, 60_000 * mmap.PAGESIZE, mmap.MAP_PRIVATE)
address = ctypes.addressof(ctypes.c_char.from_buffer(many))
for page in range(0, 60_000, 2):
    ctypes.CDLL(None).mprotect(ctypes.c_void_p(address + page * mmap.PAGESIZE), mmap.PAGESIZE, mmap.PROT_READ)
family()
`,
      );
      const { child } = JSON.parse(weapon.first) as { child: number };
      return await looked(stage, child);
    },
  },
  {
    name: 'snapshots that unfold to gigabytes, are a pipe, or never end: why --since',
    attempt: async (stage) => {
      await stage.mallory.run(
        `
bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
part = bomb.compress(bytes(1 << 24)) + bomb.flush(zlib.Z_FULL_FLUSH)
pages = base64.b64encode(part * 256 + bomb.flush()).decode()
region = {"start": 0, "pages": pages}
worker = {"pid": 1, "started_at": 1, "regions": [region] * 4}
open(HOME + "/bomb", "w").write(json.dumps({
    "cowherd_why_snapshot": 1, "taken_at": "2026-01-01T00:00:00Z", "page_bytes": 4096,
    "reference_pid": 1, "codes": ["x"], "workers": [worker] * 4,
}))
open(HOME + "/nested", "w").write("[" * 1_000_000)
open(HOME + "/large", "w").truncate(1 << 40)
os.mkfifo(HOME + "/pipe")
os.symlink("/dev/zero", HOME + "/device")
`,
      );
      const harm: string[] = [];
      for (const name of ['bomb', 'nested', 'large', 'pipe', 'device']) {
        const args = ['why', '--runtime-dir', stage.runtimeDirectory, '--no-census'];
        const ran = await stage.root.run([...args, '--since', path.join(stage.mallory.home, name)]);
        harm.push(...harmOf(`why --since ${name}`, ran, MOST_FOR_A_SNAPSHOT_BYTES));
        if (ran.status === 0) harm.push(`why believed ${name}`);
      }
      return harm;
    },
  },
  {
    name: 'objects that say that they have 2^28 parts each: why',
    attempt: async (stage) => {
      const weapon = await stage.mallory.begin(
        `
gc.disable()
endless = [[0] for _ in range(1000)]
for each in endless:
    ctypes.c_ssize_t.from_address(id(each) + 16).value = (1 << 28) - 1
    # More than all that it has: ob_refcnt keeps the list from being freed.
    ctypes.c_ssize_t.from_address(id(each)).value += 1
family()
`,
      );
      const { child } = JSON.parse(weapon.first) as { child: number };
      const ran = await stage.root.run(['why', `${child}`]);
      const harm = harmOf('why', ran);
      if (!ran.output.includes('the walk took more steps')) harm.push(`why walked on: ${ran.output.slice(-300)}`);
      return harm;
    },
  },
  {
    name: 'names of code that are a pipe, a device or too large: record',
    attempt: async (stage) => {
      const weapon = await stage.mallory.begin('family()');
      const { child } = JSON.parse(weapon.first) as { child: number };
      const harm: string[] = [];
      for (const lines of ['os.mkfifo(MAP)', 'os.symlink("/dev/zero", MAP)', 'open(MAP, "w").truncate(1 << 40)']) {
        const facts = { MAP: `/tmp/perf-${child}.map` };
        await stage.mallory.run(lines, facts);
        harm.push(...harmOf('record', await stage.root.run(['record', `${child}`, '--seconds', '1'])));
        await stage.mallory.run('os.unlink(MAP)', facts);
      }
      return harm;
    },
  },
  {
    name: 'a flood at the control socket: a line without an end, unread answers, connections that stay',
    attempt: async (stage) => {
      const before = await supervisorRss(stage);
      await stage.owner.begin(
        `
def flood(line, times):
    with contextlib.suppress(OSError):
        visit = socket.socket(socket.AF_UNIX)
        visit.connect(RUN + "/control.sock")
        for _ in range(times):
            visit.sendall(line)
        time.sleep(1000)
for _ in range(4):
    threading.Thread(target=flood, args=(b"x" * 1_000_000, 20), daemon=True).start()
    threading.Thread(target=flood, args=(ASK.encode(), 14_200), daemon=True).start()
for _ in range(600):
    threading.Thread(target=flood, args=(b'{"type": ', 1), daemon=True).start()
tell("at work")
time.sleep(1000)
`,
        { RUN: stage.runtimeDirectory, ASK: `${JSON.stringify({ type: 'status', version: CONTROL_VERSION })}\n` },
      );
      return await whileFlooded(stage, before);
    },
  },
  {
    name: 'lists, nothing, deep nesting and half a line at the sockets of the herd',
    attempt: async (stage) => {
      const before = await supervisorRss(stage);
      await stage.owner.begin(
        `
LINES = [b"[]", b"{}", b"[" * 100_000, b"{\\"type\\":" * 10_000, b"null", b"\\xff\\xfe", b"\\x00" * 5000, b'"', b"7" * 5000]
def visit(name, line, end):
    with contextlib.suppress(OSError):
        visit = socket.socket(socket.AF_UNIX)
        visit.connect(RUN + "/" + name)
        visit.sendall(line + end)
        visit.settimeout(0.2)
        visit.recv(65536)
for name in ("control.sock", "keeper.sock"):
    for line in LINES:
        for end in (b"\\n", b"", b"\\n" * 3000):
            visit(name, line, end)
tell("done")
`,
        { RUN: stage.runtimeDirectory },
      );
      return await whileFlooded(stage, before);
    },
  },
];

/** Root runs `cowherd why` on a process of another user, and has to get an answer. */
async function looked(stage: Stage, pid: number): Promise<string[]> {
  const ran = await stage.root.run(['why', `${pid}`]);
  return [...harmOf('why', ran), ...(ran.status === 0 ? [] : [`why had no answer: ${ran.output.slice(-300)}`])];
}

/** Checks during a flood that the herd can still be asked, and how much its supervisor grows. */
async function whileFlooded(stage: Stage, before: number): Promise<string[]> {
  const harm: string[] = [];
  for (let asked = 0; asked < 10; asked += 1) {
    const ran = await stage.root.run(['status', '--runtime-dir', stage.runtimeDirectory]);
    harm.push(...harmOf('status', ran));
    if (ran.status !== 0) harm.push(`status had no answer: ${ran.output}`);
    await sleep(50);
  }
  const growth = (await supervisorRss(stage)) - before;
  if (growth > MOST_GROWTH_BYTES) harm.push(`the supervisor has grown by ${Math.round(growth / MIB)} MiB`);
  return harm;
}

async function supervisorRss(stage: Stage): Promise<number> {
  const report = await stage.status();
  if (report === null || !existsSync(`/proc/${report.herd.supervisor.pid}`)) return Infinity;
  return report.herd.supervisor.rss;
}
