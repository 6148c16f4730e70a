/** The results of the attacks. Pure. */

export interface AttackResult {
  readonly attack: string;
  /** Harm to the herd or the host; empty if it held. */
  readonly harm: readonly string[];
}

export interface Summary {
  attacks: number;
  held: number;
  host_processes_hurt: number;
  files_hurt: number;
  requests_lost: number;
}

export interface Losses {
  readonly processes: number;
  readonly files: number;
  readonly requests: number;
}

export function summarize(results: readonly AttackResult[], losses: Losses): Summary {
  return {
    attacks: results.length,
    held: results.filter(({ harm }) => harm.length === 0).length,
    host_processes_hurt: losses.processes,
    files_hurt: losses.files,
    requests_lost: losses.requests,
  };
}

export function isWell(summary: Summary): boolean {
  return (
    summary.attacks > 0 &&
    summary.held === summary.attacks &&
    summary.host_processes_hurt + summary.files_hurt + summary.requests_lost === 0
  );
}
