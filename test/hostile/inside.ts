/**
 * The attacks, one after the other, on a herd that root has started with workers of nobody; in namespaces of its own
 * (see run.ts), where the worst costs nothing but decoys.
 *
 * `inside.ts PYTHON [NAME…]`: prints a line for each attack, and at the end one JSON object.
 */
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import { type Attack, ATTACKS } from './attacks.ts';
import { attackFromWorker, post } from './from-worker.ts';
import { fuzzAttacks, lines } from './fuzz.ts';
import { NEIGHBOUR_ATTACKS, type NeighbourAttack } from './neighbours/attacks.ts';
import { isWell, summarize, type AttackResult } from './result.ts';
import { isFull, Theatre } from './stage.ts';

const [python = '', ...names] = process.argv.slice(2);
/** So many rounds of generated messages; a longer run asks for more. */
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 3);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const wanted = ({ name }: { readonly name: string }): boolean => names.length === 0 || names.includes(name);
const attacks: (Attack | NeighbourAttack)[] = [
  ...ATTACKS.filter(wanted),
  ...NEIGHBOUR_ATTACKS.filter(wanted),
  ...fuzzAttacks(seed, rounds),
  ...Array.from({ length: rounds }, (_, round) => ({
    name: `generated lines for the sockets, seed ${seed + round}`,
    lines: '',
    sockets: lines(seed + round, 60),
  })),
];

const stage = new Theatre(python);

/** What the attack itself has found, and what became of decoys, visitors and the herd. */
async function harmOf(
  attack: Attack | NeighbourAttack,
  before: StatusReport,
): Promise<{ harm: string[]; report: StatusReport | null }> {
  const { processesHurt, filesHurt } = stage.decoys;
  const { lost } = stage.visits;
  const harm = await carriedOut(attack, before);
  const report = await stage.settled();
  if (stage.decoys.processesHurt > processesHurt) harm.push("a process that is not the herd's was ended");
  if (stage.decoys.filesHurt > filesHurt) harm.push("a file that is not the herd's was changed");
  if (stage.visits.lost > lost) harm.push(`${stage.visits.lost - lost} request(s) of others were lost`);
  if (report === null) harm.push('the supervisor does not answer');
  else {
    if (!isFull(report)) harm.push(`the herd is not what it was: ${JSON.stringify(report.herd).slice(0, 300)}`);
    if (report.herd.keeper.pid !== before.herd.keeper.pid) harm.push('the keeper is another one');
    if (report.herd.supervisor.pid !== before.herd.supervisor.pid) harm.push('the supervisor is another one');
  }
  return { harm, report };
}

async function carriedOut(attack: Attack | NeighbourAttack, before: StatusReport): Promise<string[]> {
  if (!('attempt' in attack)) return await attackFromWorker(attack, stage, before);
  try {
    return [...(await attack.attempt(stage))];
  } catch (error) {
    return [`the attack itself is wrong: ${error instanceof Error ? (error.stack ?? '') : String(error)}`];
  } finally {
    await Promise.all([stage.mallory.rest(), stage.owner.rest()]);
  }
}

async function run(): Promise<number> {
  let before = await stage.settled();
  if (before === null || !isFull(before)) {
    console.log(`the herd does not serve:\n${stage.log.slice(-3000)}`);
    return 1;
  }
  const uid = await post('result = os.getuid()', stage);
  if (uid !== '65534') {
    console.log(`the workers are not nobody's: ${uid}`);
    return 1;
  }
  stage.visits.begin();
  const results: AttackResult[] = [];
  for (const attack of attacks) {
    const { harm, report } = await harmOf(attack, before);
    results.push({ attack: attack.name, harm });
    console.log(`${harm.length === 0 ? 'held' : 'NOT HELD'}: ${attack.name}`);
    for (const each of harm) console.log(`  ${each}`);
    if (report === null) break;
    before = report;
  }
  // Requests that are under way when the herd ends would be lost rightly.
  await stage.visits.end();
  const losses = {
    processes: stage.decoys.processesHurt,
    files: stage.decoys.filesHurt,
    requests: stage.visits.lost,
  };
  const summary = summarize(results, losses);
  const isComplete = results.length === attacks.length;
  if (!isComplete || !isWell(summary)) console.log(stage.log.slice(-20_000));
  console.log(`${stage.visits.sent} requests of others`);
  console.log(JSON.stringify(summary));
  return isComplete && isWell(summary) ? 0 : 1;
}

const status = await run();
await stage.close();
process.exit(status);
