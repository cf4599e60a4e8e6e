import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { hasCode } from '../adapters/cluster/target-connection.js';
import { messageOf, PreconditionError } from '../core/errors.js';
import { compareVersions, isServerVersion } from '../core/version.js';
import { answersInARow, USABLE_WITHIN_MS } from './answers-in-a-row.js';

const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
/** Closed canaries are kept this long: longer than any verification needs, short enough to leave nothing behind. */
const RETENTION = '3 days';
/** Of each question; the SDK's retries are within it. */
const CALL_DEADLINE_MS = 30_000;

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
 * @throws PreconditionError when it stays unusable for a minute; the error of a call that failed for another reason
 */
export async function ensureCanaryNamespace(
  connection: Connection,
  namespace: string,
  signal?: AbortSignal,
): Promise<void> {
  await registerWhenMissing(connection, namespace);
  await waitForRefresh(connection, namespace, signal);
  // For several shards: the namespace may just have been registered by another process.
  if (await answersInARow((number) => answersIn(connection, namespace, number), { signal })) return;
  throw new PreconditionError(
    `namespace ${namespace} was registered, but calls in it are still refused after ${USABLE_WITHIN_MS / 1_000} s; ` +
      'look at the frontends’ logs for their namespace registry',
    { namespace },
  );
}

function within<T>(connection: Connection, call: () => Promise<T>): Promise<T> {
  return connection.withDeadline(Date.now() + CALL_DEADLINE_MS, call);
}

async function registerWhenMissing(connection: Connection, namespace: string): Promise<void> {
  try {
    await within(connection, () => connection.workflowService.describeNamespace({ namespace }));
    return;
  } catch (error) {
    if (!hasCode(error, NOT_FOUND)) throw error;
  }
  try {
    await within(connection, () =>
      connection.workflowService.registerNamespace({
        namespace,
        description: 'Simulated work of temporal-upgrade; can be deleted when no roll-out is running.',
        workflowExecutionRetentionPeriod: msToTs(RETENTION),
        data: { [REGISTERED_AT]: new Date().toISOString() },
      }),
    );
  } catch (error) {
    if (!hasCode(error, ALREADY_EXISTS)) throw error; // another process was faster
  }
}

async function waitForRefresh(connection: Connection, namespace: string, signal?: AbortSignal): Promise<void> {
  const { serverVersion } = await within(connection, () => connection.workflowService.getSystemInfo({}));
  if (!isServerVersion(serverVersion) || compareVersions(serverVersion, FIRST_TO_LOOK_UNKNOWN_ONES_UP) >= 0) return;
  const { namespaceInfo } = await within(connection, () => connection.workflowService.describeNamespace({ namespace }));
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
    await within(connection, () =>
      connection.workflowService.signalWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: `is-it-usable-${number}` },
        signalName: 'is-it-usable',
      }),
    );
    return true;
  } catch (error) {
    return hasCode(error, NOT_FOUND) && !/namespace/i.test(messageOf(error));
  }
}
