/** Advice derived from the figures: what would have kept the pages shared, or shares them again, in bytes; pure. */
import { WORKER_OWN_BYTES } from '../../base/own-memory.ts';
import type { CauseCounts } from '../pages/causes.ts';

export type Remedy = 'policy' | 'collector' | 'preload' | 'warm-up' | 'refork' | 'heal' | 'payload';

export interface Advice {
  readonly remedy: Remedy;
  /** What to do, in a sentence; the sizes are in `bytes_won_…`. */
  readonly text: string;
  /** Estimates of the memory saved in one worker and in all of them. */
  readonly bytes_won_per_worker: number;
  readonly bytes_won_in_all: number;
}

export interface AdviceFacts {
  /** Pages of the median worker. */
  readonly causes: CauseCounts;
  readonly sharedAtForkPages: number;
  /** Pages that the worker has made itself since its fork. */
  readonly freshPages: number;
  /** The part of the fresh pages that is similar to another worker's, from 0 to 1; null if not known. */
  readonly freshAlikePart: number | null;
  readonly workers: number;
  readonly pageBytes: number;
  /** The minor version of Python 3; null if not known. */
  readonly minor: number | null;
  /** The herd's heap policy; null for another server. */
  readonly policy: string | null;
  /** Who called the collector, if a guard has seen it: "msgpack (…/fallback.py:23)". */
  readonly collectorCalledBy: string | null;
  /** The herd's mold has played warm-up requests. Code still being adapted after them would be adapted anyway. */
  readonly isWarmedUp: boolean;
  /** The owner of most of the pages with the cause `payload`. */
  readonly payloadOwner: { readonly name: string; readonly pages: number } | null;
}

/** From 3.12 on objects can be made immortal (PEP 683). */
const IMMORTAL_FROM_MINOR = 12;
/** Advice that wins less than this part of the pages shared at fork is left out. */
const WORTH_PART = 0.01;

/** Pieces of advice, the most valuable first. */
export function advise(facts: AdviceFacts): Advice[] {
  const { causes, workers, pageBytes, sharedAtForkPages } = facts;
  const advice: Advice[] = [];
  const add = (remedy: Remedy, pages: number, text: string): void => {
    if (pages === 0 || pages < sharedAtForkPages * WORTH_PART) return;
    const bytes = Math.round(pages * pageBytes);
    advice.push({ remedy, text, bytes_won_per_worker: bytes, bytes_won_in_all: bytes * workers });
  };
  const byCollector = causes.identical + causes['gc-header'];
  const best = bestPolicy(facts);
  if (best !== null) {
    add('policy', pagesKept(best, causes), `${howToHave(best, facts)}: ${WHAT_IT_DOES[best]}.`);
  }
  if (facts.collectorCalledBy !== null) {
    add(
      'collector',
      byCollector,
      `${facts.collectorCalledBy} runs the garbage collector or turns it on: gc_guard = "hold" holds that off.`,
    );
  }
  add(
    'warm-up',
    facts.isWarmedUp ? 0 : causes.specialization + causes['shared-keys'],
    `Play requests before the fork (warmup = ["GET /"], or calls in the parent's own code): what the interpreter adapts and numbers then is shared.`,
  );
  const alike = alikePages(facts);
  if (facts.policy === null) add('preload', alike, howToPreload(facts));
  else {
    add(
      'refork',
      alike,
      'What workers have made alike since their fork (lazily imported modules, templates, caches) is shared when a warmed worker becomes the next mold: `cowherd refork`, which then shows what it has won.',
    );
  }
  add(
    'heal',
    causes.identical,
    'Pages that are byte for byte the same can be merged again in the workers that run: `cowherd heal`.',
  );
  if (facts.payloadOwner !== null) {
    const { name, pages } = facts.payloadOwner;
    add(
      'payload',
      pages,
      `${name} is written while requests are served: make what is written after the fork, or keep it apart from what is only read.`,
    );
  }
  return advice.toSorted((a, b) => b.bytes_won_per_worker - a.bytes_won_per_worker);
}

/** Pages won per worker: all workers but one can drop their similar pages. */
function alikePages({ freshPages, freshAlikePart, workers, pageBytes }: AdviceFacts): number {
  const alike = Math.max(0, freshPages - WORKER_OWN_BYTES / pageBytes) * (freshAlikePart ?? 0);
  return (alike * (workers - 1)) / workers;
}

/** Advice for another server: memory made before the fork is shared as long as the collector leaves it alone. */
function howToPreload({ freshPages, sharedAtForkPages }: AdviceFacts): string {
  return freshPages > sharedAtForkPages
    ? 'Load the application before the fork: gunicorn --preload, uWSGI without lazy-apps, or `cowherd serve`, which always does and keeps it shared. Each worker has loaded it by itself.'
    : 'Make before the fork what every worker makes by itself (lazily imported modules, templates, caches): import it, and play requests; or serve with `cowherd serve` and refork.';
}

type Policy = 'freeze' | 'immortal';

const WHAT_IT_DOES: Record<Policy, string> = {
  freeze: 'the collector does not look at what was loaded before the fork, and free memory beside it is filled',
  immortal:
    'neither the collector nor a reference writes what was loaded before the fork, and free memory beside it is filled',
};

function bestPolicy({ policy, minor }: AdviceFacts): Policy | null {
  if (policy === 'immortal' || minor === null) return null;
  if (minor >= IMMORTAL_FROM_MINOR) return 'immortal';
  return policy === 'freeze' ? null : 'freeze';
}

/** The pages that a policy would have kept: those whose most stubborn write it avoids. */
export function pagesKept(policy: Policy, causes: CauseCounts): number {
  const byCollector = causes.identical + causes['gc-header'];
  return policy === 'freeze'
    ? byCollector + causes.allocator
    : byCollector + causes.refcount + causes.hash + causes.allocator;
}

function howToHave(policy: Policy, { policy: present }: AdviceFacts): string {
  return present === null
    ? `Prepare the heap before the fork: serve with \`cowherd serve\`, or call cowherd_agent.prepare("${policy}") in this server (docs/prepare.md)`
    : `Serve with --policy ${policy}`;
}
