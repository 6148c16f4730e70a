/** Finds the differences of a package under Cowherd from gunicorn. Pure. */
import type { DifferenceKind, NamedException, Package } from './list.ts';
import type { Observation, RolloutSeen, Wrong } from './observation.ts';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly what: string;
}

export interface Verdict {
  /** Whether both servers answered, with the same answers. */
  readonly served: boolean;
  readonly reforked: boolean;
  /** Differences that the list has no exception for. */
  readonly differences: readonly Difference[];
  /** Differences that the list has an exception for, with the reason. */
  readonly named: readonly { readonly difference: Difference; readonly exception: NamedException }[];
  /** A fault of the use or of the environment, which shows under gunicorn already. */
  readonly fault: string | null;
}

/** Log lines about a failed rollout. They are part of that difference, not another one. */
const OF_A_FAILED_ROLLOUT = /^(?:Mold \d+ failed|Re(?:load|fork) to generation \d+ failed)/;
/** A stop that takes this much longer than gunicorn's is a difference. */
const LONGER_SECONDS = 10;

export function judge(observation: Observation, package_: Package): Verdict {
  const fault = faultOf(observation);
  const seen = fault === null ? seenDifferences(observation) : [];
  const differences: Difference[] = [];
  const named: { difference: Difference; exception: NamedException }[] = [];
  for (const difference of seen) {
    const exception = package_.exceptions.find((each) => covers(each, difference, observation.python));
    if (exception === undefined) differences.push(difference);
    else named.push({ difference, exception });
  }
  const { cowherd } = observation;
  const served = fault === null && cowherd?.started === true && !seen.some(({ kind }) => kind === 'answer');
  return {
    served,
    reforked: served && cowherd.refork.failure === null && cowherd.refork.wrong.length === 0,
    differences,
    named,
    fault,
  };
}

function covers(exception: NamedException, difference: Difference, python: string): boolean {
  return (
    exception.kind === difference.kind &&
    (exception.pythons?.includes(python) ?? true) &&
    new RegExp(exception.pattern, 's').test(difference.what)
  );
}

function faultOf({ gunicorn }: Observation): string | null {
  if (!gunicorn.started) return `gunicorn did not start: ${gunicorn.log}`;
  if (gunicorn.failed.length > 0) {
    return `gunicorn did not answer all requests, or not as before: ${gunicorn.failed.slice(0, 2).join('; ')}; ${gunicorn.failed.at(-1)}`;
  }
  if (gunicorn.distinct < gunicorn.asked) {
    return `only ${gunicorn.distinct} of ${gunicorn.asked} answers are different: the use shows too little`;
  }
  return null;
}

function seenDifferences({ gunicorn, cowherd }: Observation): Difference[] {
  if (cowherd === null) return [{ kind: 'start', what: 'not tried' }];
  if (!cowherd.started) return [{ kind: 'start', what: errorIn(cowherd.log) }];
  const { stop, reload, refork } = cowherd;
  const hasFailed = reload.failure !== null || refork.failure !== null;
  const warnings = cowherd.warnings.filter((line) => !hasFailed || !OF_A_FAILED_ROLLOUT.test(line));
  const found: Difference[] = [
    ...wrongAnswers('answer', '', cowherd.wrong),
    ...ofRollout('reload', reload),
    ...ofRollout('refork', refork),
    ...warnings.map((what) => ({ kind: 'warning' as const, what })),
    ...cowherd.output.map((what) => ({ kind: 'output' as const, what })),
    ...stop.left.map((what) => ({ kind: 'stop' as const, what: `left behind: ${what}` })),
  ];
  if (stop.status !== 0) found.push({ kind: 'stop', what: `ended with status ${stop.status}` });
  const usual = gunicorn.started ? gunicorn.stopSeconds : 0;
  if (stop.seconds > usual + LONGER_SECONDS) {
    found.push({ kind: 'stop', what: `took ${stop.seconds.toFixed(0)} s, gunicorn ${usual.toFixed(0)} s` });
  }
  return found;
}

/** The error line in the log of a server that did not start, or the whole log. */
function errorIn(log: string): string {
  return /^Error .*$/m.exec(log)?.[0] ?? log;
}

function ofRollout(kind: 'reload' | 'refork', seen: RolloutSeen): Difference[] {
  if (seen.failure !== null) return [{ kind, what: seen.failure }, ...wrongAnswers(kind, ' meanwhile', seen.wrong)];
  if (seen.requests === 0) return [{ kind, what: 'no request was answered meanwhile' }];
  return wrongAnswers(kind, ' meanwhile', seen.wrong);
}

function wrongAnswers(kind: DifferenceKind, when: string, wrong: readonly Wrong[]): Difference[] {
  const [first] = wrong;
  if (first === undefined) return [];
  const { request, expected, got } = first;
  return [{ kind, what: `${wrong.length} wrong answers${when}; ${request}: ${got}, not ${expected}` }];
}
