import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { NotGoodEnough } from './interruptions.js';

/** What went wrong, for people: the innermost cause that says something. */
export function describeFailure(error: unknown): string {
  if (error instanceof NotGoodEnough) return error.message;
  if (error instanceof ActivityFailure) {
    const { cause } = error;
    if (cause instanceof ApplicationFailure) return cause.message;
    if (cause instanceof TimeoutFailure) {
      return `${error.activityType} was not heard of any more (${cause.timeoutType}); is a worker running on its task queue?`;
    }
    return cause?.message ?? error.message;
  }
  if (error instanceof Error) return error.message;
  return String(error);
}
