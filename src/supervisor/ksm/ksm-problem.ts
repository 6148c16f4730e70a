/** Why memory can't be merged here, as a line and as an error. */
import { CowherdError } from '../../base/errors.ts';
import { KSM_FOLDER, type KsmProblem } from '../../procfs/ksm.ts';

/** One line, with what to do. */
export function explainProblem(problem: KsmProblem): string {
  const { title, detail, advice } = problemAsError(problem);
  return `${title}: ${detail ?? ''}. ${advice}`;
}

export function problemAsError(problem: KsmProblem): CowherdError {
  if (problem.kind === 'not allowed') {
    return problem.reason === 'EROFS'
      ? new CowherdError('KSM_NOT_ALLOWED', {
          detail: `${KSM_FOLDER} is read-only, as in a container`,
          advice: 'It is a setting of the host: run the command there, as root, with the process ids of the host.',
        })
      : new CowherdError('KSM_NOT_ALLOWED', { detail: `${KSM_FOLDER}/run is root's to write (${problem.reason})` });
  }
  const missing = problem.kind === 'too old' ? `${KSM_FOLDER}/general_profit` : KSM_FOLDER;
  return new CowherdError('KSM_UNAVAILABLE', { detail: `there is no ${missing}` });
}
