import { getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';

const LOOK_MS = 30_000;

/** Does `work`, and stops it when the roll-out that wanted it is over: one that was terminated cannot say so itself. */
export async function untilOver<T>(
  rolloutId: string,
  signal: AbortSignal | undefined,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const watch = setInterval(() => {
    isOver(rolloutId).then(
      (yes) => yes && over.abort(),
      () => undefined, // the control plane is away; asked again soon
    );
  }, LOOK_MS);
  try {
    return await work(AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])]));
  } finally {
    clearInterval(watch);
  }
}

async function isOver(rolloutId: string): Promise<boolean> {
  try {
    return (await getClient().workflow.getHandle(rolloutId).describe()).status.name !== 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}
