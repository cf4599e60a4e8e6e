import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { PreconditionError } from '../core/errors.js';

const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
/** Closed canaries are kept this long: longer than any verification needs, short enough to leave nothing behind. */
const RETENTION = '3 days';
/** Frontends look at their copy of the namespaces every ten seconds (common/namespace, cacheRefreshInterval). */
const USABLE_WITHIN_MS = 60_000;

/**
 * Registers the namespace of the canaries when the target has none of that name, and waits until calls in it are answered.
 * @throws PreconditionError when it stays unusable for a minute
 */
export async function ensureCanaryNamespace(
  connection: Connection,
  namespace: string,
  signal?: AbortSignal,
): Promise<void> {
  if (!(await registerWhenMissing(connection, namespace))) return;
  const giveUpAt = Date.now() + USABLE_WITHIN_MS;
  // Several answers in a row, as behind one address there may be several frontends, each with its own copy.
  for (let answers = 0; answers < 5;) {
    if (await answersIn(connection, namespace)) answers += 1;
    else answers = 0;
    if (Date.now() > giveUpAt) {
      throw new PreconditionError(
        `namespace ${namespace} was registered, but calls in it are still refused after ${USABLE_WITHIN_MS / 1_000} s; ` +
          'look at the frontends’ logs for their namespace registry',
        { namespace },
      );
    }
    await sleep(500, undefined, { signal });
  }
}

/** Whether it had to be registered. */
async function registerWhenMissing(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return false;
  } catch (error) {
    if (!hasCode(error, NOT_FOUND)) throw error;
  }
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'Simulated work of temporal-upgrade; can be deleted when no roll-out is running.',
      workflowExecutionRetentionPeriod: msToTs(RETENTION),
    });
  } catch (error) {
    if (!hasCode(error, ALREADY_EXISTS)) throw error; // another process was faster
  }
  return true;
}

/** Asks for a workflow that does not exist: "no such workflow" means that the namespace is known on the way there. */
async function answersIn(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId: 'is-it-usable' },
    });
    return true;
  } catch (error) {
    return hasCode(error, NOT_FOUND) && !/namespace/i.test((error as Error).message);
  }
}

function hasCode(error: unknown, code: number): boolean {
  return isGrpcServiceError(error) && Number(error.code) === code;
}
