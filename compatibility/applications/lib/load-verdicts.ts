/** The outcome of each request of a steady load. Pure. */

export interface LoadRequest {
  readonly request: string;
  /** CLOCK_MONOTONIC. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  /** The status that the same server has answered with before. */
  readonly expectedStatus: number;
  /** Null without a whole answer. */
  readonly status: number | null;
  /** Why there is no answer, such as `ECONNREFUSED`, `ECONNRESET`, `timed out`. */
  readonly error: string | null;
}

export type Phase = 'steady' | 'reload' | 'refork' | 'stop';

export interface PhaseSpan {
  readonly phase: Phase;
  readonly fromMs: number;
}

export interface LoadCount {
  readonly sent: number;
  readonly good: number;
  /** Refused after the stop began: no process accepted the connection, and the client knows. */
  readonly refusedAfterStop: number;
  /** Requests without a whole answer, or with another status. */
  readonly lost: readonly string[];
  readonly byPhase: Readonly<Partial<Record<Phase, number>>>;
}

/** Expects `spans` in the order of time. A request belongs to the phase in which it was sent. */
export function countLoad(requests: readonly LoadRequest[], spans: readonly PhaseSpan[]): LoadCount {
  const stopAtMs = spans.find(({ phase }) => phase === 'stop')?.fromMs ?? Infinity;
  const byPhase: Partial<Record<Phase, number>> = {};
  const lost: string[] = [];
  let good = 0;
  let refusedAfterStop = 0;
  for (const each of requests) {
    const phase = spans.findLast(({ fromMs }) => fromMs <= each.sentAtMs)?.phase ?? 'steady';
    byPhase[phase] = (byPhase[phase] ?? 0) + 1;
    if (each.status === each.expectedStatus) good += 1;
    else if (each.error === 'ECONNREFUSED' && each.endedAtMs >= stopAtMs) refusedAfterStop += 1;
    else {
      const what = each.status === null ? each.error : `status ${each.status}, not ${each.expectedStatus}`;
      lost.push(`${each.request} during ${phase}: ${what}`);
    }
  }
  return { sent: requests.length, good, refusedAfterStop, lost, byPhase };
}
