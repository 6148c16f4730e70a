/**
 * The attacks, one after the other, on a herd that root has started with workers of nobody; in namespaces of its own
 * (see run.ts), where the worst costs nothing but decoys.
 *
 * `inside.ts PYTHON [NAME…]`: prints a line for each attack, and at the end one JSON object.
 */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/supervisor/control.ts';
import { CONTROL_VERSION, type ControlReply } from '../../src/supervisor/control-messages.ts';
import type { StatusReport } from '../../src/supervisor/status.ts';
import { ATTACKS, type Attack } from './attacks.ts';
import { Decoys } from './decoys.ts';
import { fuzzAttacks, lines } from './fuzz.ts';
import { isWell, summarize, type AttackResult } from './result.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const WEAPONS = readFileSync(path.join(import.meta.dirname, 'weapons.py'), 'utf8');
const WORKERS = 3;
const PORT = 18_080;
const URL = `http://127.0.0.1:${PORT}/`;
const SETTLE_MS = 30_000;
const ANSWER_MS = 30_000;
const PAUSE_MS = 5;

const [python = '', ...names] = process.argv.slice(2);
/** So many rounds of generated messages; a longer run asks for more. */
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 3);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const attacks = [
  ...ATTACKS.filter(({ name }) => names.length === 0 || names.includes(name)),
  ...fuzzAttacks(seed, rounds),
  ...Array.from({ length: rounds }, (_, round) => ({
    name: `generated lines for the sockets, seed ${seed + round}`,
    lines: '',
    sockets: lines(seed + round, 60),
  })),
];

const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-hostile-'));
chmodSync(folder, 0o755);
const runtimeDirectory = path.join(folder, 'run');
copyFileSync(path.join(import.meta.dirname, 'attacked.py'), path.join(folder, 'attacked.py'));
const decoys = new Decoys(folder);
const logFile = path.join(folder, 'log');
const log = openSync(logFile, 'a');

const words = ['serve', 'attacked:app', '--python', python, '--workers', `${WORKERS}`, '--bind', `127.0.0.1:${PORT}`];
const asNobody = ['--user', '65534', '--group', '65534', '--runtime-dir', runtimeDirectory];
const server = spawn(process.execPath, [path.join(ROOT, 'bin', 'cowherd'), ...words, ...asNobody], {
  cwd: folder,
  stdio: ['ignore', log, log],
});

/** Requests of a visitor who attacks nobody. */
const visits = { sent: 0, lost: 0, over: false };

async function visit(): Promise<void> {
  while (!visits.over) {
    visits.sent += 1;
    try {
      const response = await fetch(URL, { signal: AbortSignal.timeout(ANSWER_MS) });
      if (response.status !== 200 || !/^\d+$/.test(await response.text())) visits.lost += 1;
    } catch {
      visits.lost += 1;
    }
    await sleep(PAUSE_MS);
  }
}

async function control(type: 'status' | 'refork'): Promise<ControlReply> {
  return await ask(runtimeDirectory, { type, version: CONTROL_VERSION });
}

async function status(): Promise<StatusReport | null> {
  try {
    const reply = await control('status');
    return reply.type === 'status' ? reply.report : null;
  } catch {
    return null;
  }
}

/** As full as it was, with nothing under way, or the report that says what it lacks. */
async function settled(): Promise<StatusReport | null> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const report = await status();
    if (report !== null && isFull(report)) return report;
    if (performance.now() > deadline) return report;
    await sleep(50);
  }
}

function isFull({ herd, workers }: StatusReport): boolean {
  const all = workers.filter(({ state }) => state === 'ready').length === workers.length;
  return herd.phase === 'serving' && herd.workers_ready === WORKERS && all && herd.rollout === null;
}

/** Posts the attack; what the worker answers, if it does. */
async function post(attack: Attack): Promise<string> {
  const facts = `DECOY = ${decoys.pid}\nSECRET = ${JSON.stringify(decoys.file)}\n`;
  try {
    const body = `${WEAPONS}\n${facts}\n${attack.lines}\n`;
    const response = await fetch(URL, { method: 'POST', body, signal: AbortSignal.timeout(ANSWER_MS) });
    return await response.text();
  } catch (error) {
    return String(error);
  }
}

/** As the owner of the herd, at both sockets of the runtime directory. */
async function sayToSockets(said: readonly string[]): Promise<void> {
  for (const name of ['control.sock', 'keeper.sock']) {
    await Promise.all(
      said.map(
        (line) =>
          new Promise<void>((resolve) => {
            const socket = connect(path.join(runtimeDirectory, name), () => socket.end(`${line}\n`));
            socket.setTimeout(2000, () => socket.destroy());
            socket.on('data', () => {});
            socket.on('error', () => {});
            socket.on('close', () => resolve());
          }),
      ),
    );
  }
}

/** In every worker: requests go to any of them. */
async function postToAll(attack: Attack, report: StatusReport): Promise<void> {
  const left = new Set(report.workers.map(({ pid }) => pid));
  const told = { ...attack, lines: `${attack.lines}\nresult = os.getpid()` };
  for (let attempt = 0; left.size > 0 && attempt < 100 * WORKERS; attempt += 1) left.delete(Number(await post(told)));
}

async function attackWith(
  attack: Attack,
  before: StatusReport,
): Promise<{ result: AttackResult; report: StatusReport | null }> {
  const { processesHurt, filesHurt } = decoys;
  const lost = visits.lost;
  let said = '';
  if (attack.sockets !== undefined) await sayToSockets(attack.sockets);
  else if (attack.refork === true) {
    await postToAll(attack, before);
    await control('refork');
    await sleep(500);
  } else said = await post(attack);
  await sleep(200);
  const report = await settled();
  const harm: string[] = [];
  if (/^(?:cut|filled|killed)/.test(said)) harm.push(`the worker says: ${said}`);
  if (/^(?:Syntax|Name|Type|Attribute|Index|Key)Error: (?!fetch failed)/.test(said))
    harm.push(`the attack itself is wrong: ${said}`);
  if (decoys.processesHurt > processesHurt) harm.push("a process that is not the herd's was ended");
  if (decoys.filesHurt > filesHurt) harm.push("a file that is not the herd's was changed");
  if (visits.lost > lost) harm.push(`${visits.lost - lost} request(s) of others were lost`);
  if (report === null) harm.push('the supervisor does not answer');
  else {
    if (!isFull(report)) harm.push(`the herd is not what it was: ${JSON.stringify(report.herd).slice(0, 300)}`);
    if (report.herd.keeper.pid !== before.herd.keeper.pid) harm.push('the keeper is another one');
    if (report.herd.supervisor.pid !== before.herd.supervisor.pid) harm.push('the supervisor is another one');
  }
  return { result: { attack: attack.name, harm }, report };
}

async function run(): Promise<number> {
  let before = await settled();
  if (before === null || !isFull(before)) {
    console.log(`the herd does not serve:\n${readFileSync(logFile, 'utf8').slice(-3000)}`);
    return 1;
  }
  const uid = await post({ name: '', lines: 'result = os.getuid()' });
  if (uid !== '65534') {
    console.log(`the workers are not nobody's: ${uid}`);
    return 1;
  }
  const visitors = [visit(), visit()];
  const results: AttackResult[] = [];
  for (const attack of attacks) {
    const { result, report } = await attackWith(attack, before);
    results.push(result);
    console.log(`${result.harm.length === 0 ? 'held' : 'NOT HELD'}: ${attack.name}`);
    for (const harm of result.harm) console.log(`  ${harm}`);
    if (report === null) break;
    before = report;
  }
  visits.over = true;
  await Promise.all(visitors);
  const losses = { processes: decoys.processesHurt, files: decoys.filesHurt, requests: visits.lost };
  const summary = summarize(results, losses);
  const isComplete = results.length === attacks.length;
  if (!isComplete || !isWell(summary)) console.log(readFileSync(logFile, 'utf8').slice(-20_000));
  console.log(`${visits.sent} requests of others`);
  console.log(JSON.stringify(summary));
  return isComplete && isWell(summary) ? 0 : 1;
}

const result = await run();
server.kill('SIGTERM');
const ended = new Promise((resolve) => server.once('exit', resolve));
await Promise.race([ended, sleep(SETTLE_MS)]);
decoys.end();
rmSync(folder, { recursive: true, force: true });
process.exit(result);
