/** Carries out an attack of attacks.ts, in one worker or in all of them, or at the sockets. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import type { Attack } from './attacks.ts';
import type { Stage } from './stage.ts';
import { ANSWER_MS } from './visits.ts';

const WEAPONS = readFileSync(path.join(import.meta.dirname, 'weapons.py'), 'utf8');
const IDLE_MS = 2000;

/** What the attacker says of it that is harm. */
export async function attackFromWorker(attack: Attack, stage: Stage, before: StatusReport): Promise<string[]> {
  let said = '';
  if (attack.sockets !== undefined) await sayToSockets(stage.runtimeDirectory, attack.sockets);
  else if (attack.refork === true) {
    await postToAll(attack, stage, before);
    await stage.refork();
    await sleep(500);
  } else said = await post(attack.lines, stage);
  await sleep(200);
  if (/^(?:cut|filled|killed)/.test(said)) return [`the worker says: ${said}`];
  const isWrong = /^(?:Syntax|Name|Type|Attribute|Index|Key)Error: (?!fetch failed)/.test(said);
  return isWrong ? [`the attack itself is wrong: ${said}`] : [];
}

/** Posts the lines; what the worker answers, if it does. */
export async function post(lines: string, { decoys, url }: Stage): Promise<string> {
  const facts = `DECOY = ${decoys.pid}\nSECRET = ${JSON.stringify(decoys.file)}\n`;
  try {
    const body = `${WEAPONS}\n${facts}\n${lines}\n`;
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(ANSWER_MS) });
    return await response.text();
  } catch (error) {
    return String(error);
  }
}

/** In every worker: requests go to any of them. */
async function postToAll(attack: Attack, stage: Stage, { workers }: StatusReport): Promise<void> {
  const left = new Set(workers.map(({ pid }) => pid));
  const lines = `${attack.lines}\nresult = os.getpid()`;
  for (let attempt = 0; left.size > 0 && attempt < 100 * workers.length; attempt += 1) {
    left.delete(Number(await post(lines, stage)));
  }
}

/** As the owner of the herd, at both sockets of the runtime directory. */
async function sayToSockets(runtimeDirectory: string, said: readonly string[]): Promise<void> {
  for (const name of ['control.sock', 'keeper.sock']) {
    await Promise.all(
      said.map(
        (line) =>
          new Promise<void>((resolve) => {
            const socket = connect(path.join(runtimeDirectory, name), () => socket.end(`${line}\n`));
            socket.setTimeout(IDLE_MS, () => socket.destroy());
            socket.on('data', () => {});
            socket.on('error', () => {});
            socket.on('close', () => resolve());
          }),
      ),
    );
  }
}
