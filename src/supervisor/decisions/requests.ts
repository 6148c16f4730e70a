/** Requests to a herd: by a command, or by a signal to the supervisor. */
import type { Draft } from '../herd/draft.ts';
import type { HerdEvent } from '../herd/events.ts';
import * as merging from './processes/merging.ts';
import * as rolloutRequests from './generations/rollout-requests.ts';
import { SIGUSR1 } from '../herd/signals.ts';
import * as stopping from './processes/stopping.ts';
import * as workers from './processes/workers.ts';

export type RequestEvent = Extract<
  HerdEvent,
  {
    type:
      | 'stop_requested'
      | 'scale'
      | 'scale_to'
      | 'reload_requested'
      | 'rollback_requested'
      | 'refork_requested'
      | 'merge_requested'
      | 'replace_requested'
      | 'reopen_logs';
  }
>;

export function asked(draft: Draft, event: RequestEvent): void {
  const { state } = draft;
  switch (event.type) {
    case 'stop_requested':
      stopping.request(draft, event.by, event.quick);
      return;
    case 'scale':
      workers.scaleTo(draft, Math.max(1, state.target + event.by));
      return;
    case 'scale_to':
      workers.scaleTo(draft, event.workers);
      return;
    case 'reload_requested':
      rolloutRequests.requestReload(draft, event.by);
      return;
    case 'rollback_requested':
      rolloutRequests.requestRollback(draft, event.by);
      return;
    case 'refork_requested':
      rolloutRequests.requestRefork(draft, event.by);
      return;
    case 'merge_requested':
      merging.request(draft, event.by);
      return;
    case 'replace_requested':
      workers.replaceAsked(draft, event.pid, event.by);
      return;
    case 'reopen_logs':
      reopenLogs(draft);
      return;
  }
}

function reopenLogs(draft: Draft): void {
  const { state } = draft;
  for (const worker of Object.values(state.workers)) {
    // A booting worker may not have its signal handlers yet, and the signal would kill it.
    if (worker.phase === 'booting') continue;
    draft.actions.push({ do: 'signal', pid: worker.pid, signal: SIGUSR1 });
  }
  for (const mold of Object.values(state.molds)) {
    if (mold.pid === null) continue;
    draft.actions.push({
      do: 'tell_mold',
      generation: mold.generation,
      message: { type: 'reopen_logs' },
    });
  }
}
