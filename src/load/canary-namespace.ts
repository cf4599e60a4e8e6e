import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { PreconditionError } from '../core/errors.js';
import { compareVersions, isServerVersion } from '../core/version.js';

const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
/** Closed canaries are kept this long: longer than any verification needs, short enough to leave nothing behind. */
const RETENTION = '3 days';
/** Frontends look at their copy of the namespaces every ten seconds (common/namespace, cacheRefreshInterval). */
const USABLE_WITHIN_MS = 60_000;
const ANSWERS_IN_A_ROW = 16;

/**
 * Older servers hear of a namespace only when they refresh their copies, and until all have, history drops for good what
 * matching refuses (common/namespace/registry.go, service/history/queues/executable.go; seen on 1.20.5).
 */
const FIRST_TO_LOOK_UNKNOWN_ONES_UP = '1.21.0';
const REFRESHED_WITHIN_MS = 12_000;
/** Kept with the namespace, so that another process knows its age too. */
const REGISTERED_AT = 'temporal-upgrade-registered-at';

/**
 * Registers the namespace of the canaries when the target has none of that name, and waits until calls in it are answered.
 * @throws PreconditionError when it stays unusable for a minute
 */
export async function ensureCanaryNamespace(
  connection: Connection,
  namespace: string,
  signal?: AbortSignal,
): Promise<void> {
  await registerWhenMissing(connection, namespace);
  await waitForRefresh(connection, namespace, signal);
  const giveUpAt = Date.now() + USABLE_WITHIN_MS;
  // Several answers in a row for several shards: each frontend and each history process has a copy of its own, and the
  // namespace may just have been registered by another process.
  for (let answers = 0; answers < ANSWERS_IN_A_ROW;) {
    if (await answersIn(connection, namespace, answers)) {
      answers += 1;
      continue;
    }
    answers = 0;
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

async function registerWhenMissing(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return;
  } catch (error) {
    if (!hasCode(error, NOT_FOUND)) throw error;
  }
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'Simulated work of temporal-upgrade; can be deleted when no roll-out is running.',
      workflowExecutionRetentionPeriod: msToTs(RETENTION),
      data: { [REGISTERED_AT]: new Date().toISOString() },
    });
  } catch (error) {
    if (!hasCode(error, ALREADY_EXISTS)) throw error; // another process was faster
  }
}

async function waitForRefresh(connection: Connection, namespace: string, signal?: AbortSignal): Promise<void> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  if (!isServerVersion(serverVersion) || compareVersions(serverVersion, FIRST_TO_LOOK_UNKNOWN_ONES_UP) >= 0) return;
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  const age = Date.now() - Date.parse(namespaceInfo?.data?.[REGISTERED_AT] ?? '');
  if (age < REFRESHED_WITHIN_MS)
    await sleep(Math.min(REFRESHED_WITHIN_MS, REFRESHED_WITHIN_MS - age), undefined, { signal });
}

/**
 * Signals a workflow that does not exist: "no such workflow" means that the namespace is known on the way there. (Describing
 * one does not: history processes of 1.20 answer that without looking the namespace up.)
 */
async function answersIn(connection: Connection, namespace: string, number: number): Promise<boolean> {
  try {
    await connection.workflowService.signalWorkflowExecution({
      namespace,
      workflowExecution: { workflowId: `is-it-usable-${number}` },
      signalName: 'is-it-usable',
    });
    return true;
  } catch (error) {
    return hasCode(error, NOT_FOUND) && !/namespace/i.test((error as Error).message);
  }
}

function hasCode(error: unknown, code: number): boolean {
  return isGrpcServiceError(error) && Number(error.code) === code;
}
