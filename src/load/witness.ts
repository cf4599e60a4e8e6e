import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { CANARY_ATTRIBUTE } from './canary-plan.js';
import type { CanaryTarget } from './canary-target.js';
import type { Ledger } from './ledger.js';

const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1;
const PAGE = 500;
/** Those of one look; the next one goes on. */
const SEARCHES = 200;
/** What has not been shown by then is not looked for any more, or one missing entry would mean to list all, for ever. */
const LOOKED_FOR_MS = 6 * 3_600_000;

/**
 * Asks visibility, the second witness, for what histories have shown to be completed. Never the first: an entry that it
 * shows is not thereby completed, one that it does not show is counted as not seen. Where it cannot answer such questions,
 * or not now, nothing is said of what it shows: whether it works at all is for others to measure.
 */
export async function askVisibility(ledger: Ledger, target: CanaryTarget, signal?: AbortSignal): Promise<void> {
  try {
    await ask(ledger, target, signal);
  } catch (error) {
    if (signal?.aborted === true) throw error;
  }
}

async function ask(ledger: Ledger, target: CanaryTarget, signal?: AbortSignal): Promise<void> {
  const askedAt = Date.now();
  for (const { namespace, taskQueue, since } of unseenPlaces(ledger)) {
    await markListed(ledger, target, { namespace, taskQueue, since }, signal);
  }
  await searchByAttribute(ledger, target, signal);
  ledger.entries.writeMeta('witnessedAt', String(askedAt));
}

type Page = temporal.api.workflowservice.v1.ListWorkflowExecutionsResponse;

interface Place {
  readonly namespace: string;
  readonly taskQueue: string;
  /** Start of the oldest one that has not been seen, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * Those with a search attribute are asked for one by one, by its value. The operator's own are left out: their task queue
 * may have had millions that are none of ours.
 */
const LISTED = `seen = 0 AND outcome = 'completed' AND kind NOT IN ('searchAttributes', 'own')`;

function unseenPlaces(ledger: Ledger): readonly Place[] {
  return ledger.entries
    .all(`SELECT command, min(intendedAt) AS since FROM canary WHERE ${LISTED} GROUP BY command`)
    .map(({ command, since }) => ({
      ...ledger.commandOf(Number(command)),
      since: Math.max(Number(since), Date.now() - LOOKED_FOR_MS),
    }));
}

async function markListed(
  ledger: Ledger,
  target: CanaryTarget,
  { namespace, taskQueue, since }: Place,
  signal?: AbortSignal,
): Promise<void> {
  // The clocks of this host and of the target may differ.
  const from = new Date(since - 60_000).toISOString();
  const query = `TaskQueue = '${quoted(taskQueue)}' AND ExecutionStatus = 'Completed' AND StartTime >= '${from}'`;
  let nextPageToken: Uint8Array | null = null;
  do {
    signal?.throwIfAborted();
    const page: Page = await list(target, { namespace, pageSize: PAGE, query, nextPageToken });
    ledger.inTransaction(() => {
      for (const { execution } of page.executions) markSeen(ledger, execution?.workflowId ?? '');
    });
    nextPageToken = page.nextPageToken.length > 0 ? page.nextPageToken : null;
  } while (nextPageToken !== null);
}

async function searchByAttribute(ledger: Ledger, target: CanaryTarget, signal?: AbortSignal): Promise<void> {
  const unseen = ledger.entries.all(
    `SELECT workflowId, command FROM canary WHERE seen = 0 AND outcome = 'completed' AND kind = 'searchAttributes'
     ORDER BY row LIMIT ?`,
    SEARCHES,
  );
  for (const { workflowId, command } of unseen) {
    signal?.throwIfAborted();
    const { namespace } = ledger.commandOf(Number(command));
    const query = `${CANARY_ATTRIBUTE} = '${quoted(String(workflowId))}'`;
    const [found, ...others] = (await list(target, { namespace, query })).executions;
    // Neither another one with its value, nor itself as it was before it ended.
    if (others.length > 0 || found?.execution?.workflowId !== workflowId) continue;
    if (found?.status === WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED)
      markSeen(ledger, String(workflowId));
  }
}

function list(
  target: CanaryTarget,
  request: temporal.api.workflowservice.v1.IListWorkflowExecutionsRequest,
): Promise<Page> {
  return target.withDeadline(() => target.connection.workflowService.listWorkflowExecutions(request));
}

function markSeen(ledger: Ledger, workflowId: string): void {
  ledger.entries.run(`UPDATE canary SET seen = 1 WHERE workflowId = ? AND outcome = 'completed'`, workflowId);
}

function quoted(text: string): string {
  return text.replaceAll("'", "''");
}
