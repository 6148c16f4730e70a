/** A thread that looks at its share of the workers (`look-share.ts`) and posts the result. */
import { parentPort, workerData } from 'node:worker_threads';
import { CowherdError, type ErrorCode } from '../../base/errors.ts';
import { lookAtShare, type Share, type ShareResult } from './look-share.ts';

export type ThreadAnswer =
  | { readonly result: ShareResult; readonly error: null }
  | { readonly result: null; readonly error: { readonly code: ErrorCode; readonly detail: string } };

function answer(): ThreadAnswer {
  try {
    return { result: lookAtShare(workerData as Share), error: null };
  } catch (error) {
    // A CowherdError would lose its class on the way to the main thread.
    if (!(error instanceof CowherdError)) throw error;
    return { result: null, error: { code: error.code, detail: error.detail ?? '' } };
  }
}

// The receiver is a thread of this process, which has no origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(answer());
