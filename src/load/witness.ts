import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { CANARY_ATTRIBUTE } from './canary-plan.js';
import type { CanaryTarget } from './canary-target.js';
import type { SqlRow } from './ledger-file.js';
import type { Ledger } from './ledger.js';

const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1;
const PAGE = 500;
/** Asked for one by one in one look; the next one goes on. Some of them have been asked for before. */
const SEARCHES = 200;
const REPEATED = 50;
/** One that was not shown by then is asked for by its id: to list all since, in every look, would take ever longer. */
const STRAGGLES_AFTER_MS = 5 * 60_000;
/** When they are too many for that, all are listed now and then, back to here. */
const LIST_ALL_EACH_MS = 10 * 60_000;
const LOOKED_FOR_MS = 6 * 3_600_000;

/**
 * Asks visibility, the second witness, for what histories have shown to be completed. Never the first: an entry that it
 * shows is not thereby completed, one that it was asked for and does not show is counted as not seen. Where it cannot answer
 * such questions, or not now, nothing is said of what it shows: whether it works at all is for others to measure.
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
  const span = spanOfListing(ledger, askedAt);
  for (const place of unseenPlaces(ledger, span)) {
    await markListed(ledger, target, place, signal);
    ledger.entries.run(
      `UPDATE canary SET askedAt = ? WHERE ${LISTED} AND command = ?`,
      askedAt,
      ...valuesOf(span),
      place.command,
    );
  }
  if (span.all) ledger.entries.writeMeta('listedAllAt', String(askedAt));
  await searchOneByOne(ledger, target, signal);
  ledger.entries.writeMeta('witnessedAt', String(askedAt));
}

/** Asked for once more in one verification. */
const ASKED_AGAIN = 100;
/** As in the counts of the ledger: visibility is written after the history. */
const SHOWN_WITHIN_MS = 120_000;

/**
 * Asks again for some of those that visibility has shown before, at random: rows that vanish are noticed by nobody else. Those that
 * the retention may have removed are left out. Where visibility cannot answer, nothing is said.
 */
export async function askAgain(ledger: Ledger, target: CanaryTarget, signal?: AbortSignal): Promise<void> {
  try {
    await askAgainForSeen(ledger, target, signal);
  } catch (error) {
    if (signal?.aborted === true) throw error;
  }
}

async function askAgainForSeen(ledger: Ledger, target: CanaryTarget, signal?: AbortSignal): Promise<void> {
  const now = Date.now();
  const retentions = new Map<string, number>();
  const rows = ledger.entries.all(
    `SELECT row, workflowId, command, kind, intendedAt FROM canary
      WHERE seen = 1 AND outcome = 'completed' AND kind <> 'own' AND verifiedAt <= ? ORDER BY random() LIMIT ?`,
    now - SHOWN_WITHIN_MS,
    ASKED_AGAIN,
  );
  for (const { row, workflowId, command, kind, intendedAt } of rows) {
    signal?.throwIfAborted();
    const { namespace } = ledger.commandOf(Number(command));
    const retentionMs = retentions.get(namespace) ?? (await readRetention(target, namespace));
    retentions.set(namespace, retentionMs);
    if (Number(intendedAt) <= now - retentionMs) continue;
    if (await isShown(target, namespace, { workflowId: String(workflowId), kind: String(kind) })) continue;
    // Found to be missing now: what was so before has been judged. Shown again, it is taken as seen again.
    ledger.entries.run(
      'UPDATE canary SET seen = 0, verifiedAt = ?, askedAt = ? WHERE row = ? AND seen = 1',
      Date.now() - SHOWN_WITHIN_MS,
      Date.now(),
      Number(row),
    );
  }
}

/** Milliseconds after their end for which a namespace keeps workflows at least. */
async function readRetention(target: CanaryTarget, namespace: string): Promise<number> {
  const { config } = await target.withDeadline(() =>
    target.connection.workflowService.describeNamespace({ namespace }),
  );
  return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
}

type Page = temporal.api.workflowservice.v1.ListWorkflowExecutionsResponse;

/** The operator's own are left out: their task queue may have had millions that are none of ours. */
const UNSEEN = `seen = 0 AND outcome = 'completed' AND kind <> 'own'`;
/** Those with a search attribute are asked for by its value; long ones are few, and began long before they ended. */
const NEVER_LISTED = `kind IN ('searchAttributes', 'long')`;
/** Of the two moments of a {@link Span}. */
const LISTED = `${UNSEEN} AND NOT ${NEVER_LISTED} AND verifiedAt > ? AND intendedAt > ?`;

/** Which entries are looked for in lists, in milliseconds since 1970. */
interface Span {
  readonly verifiedAfter: number;
  readonly intendedAfter: number;
  /** Whether that is all there are. */
  readonly all: boolean;
}

function valuesOf({ verifiedAfter, intendedAfter }: Span): readonly [number, number] {
  return [verifiedAfter, intendedAfter];
}

function spanOfListing(ledger: Ledger, now: number): Span {
  const listedAllAt = Number(ledger.entries.readMeta('listedAllAt') ?? 0);
  const usual = { verifiedAfter: now - STRAGGLES_AFTER_MS, intendedAfter: now - LOOKED_FOR_MS, all: false };
  if (now - listedAllAt < LIST_ALL_EACH_MS) return usual;
  const stragglers = ledger.entries.count(
    `SELECT count(*) AS n FROM canary WHERE ${UNSEEN} AND NOT ${NEVER_LISTED} AND verifiedAt <= ?`,
    usual.verifiedAfter,
  );
  return stragglers <= SEARCHES ? usual : { ...usual, verifiedAfter: 0, all: true };
}

interface Place {
  readonly command: number;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Start of the oldest one that is looked for, in milliseconds since 1970. */
  readonly since: number;
}

function unseenPlaces(ledger: Ledger, span: Span): readonly Place[] {
  return ledger.entries
    .all(`SELECT command, min(intendedAt) AS since FROM canary WHERE ${LISTED} GROUP BY command`, ...valuesOf(span))
    .map(({ command, since }) => {
      const { namespace, taskQueue } = ledger.commandOf(Number(command));
      return { command: Number(command), namespace, taskQueue, since: Number(since) };
    });
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

async function searchOneByOne(ledger: Ledger, target: CanaryTarget, signal?: AbortSignal): Promise<void> {
  for (const { workflowId, command, kind } of nextOneByOne(ledger)) {
    signal?.throwIfAborted();
    const { namespace } = ledger.commandOf(Number(command));
    const isSeen = await isShown(target, namespace, { workflowId: String(workflowId), kind: String(kind) });
    if (isSeen) markSeen(ledger, String(workflowId));
    else ledger.entries.run('UPDATE canary SET askedAt = ? WHERE workflowId = ?', Date.now(), String(workflowId));
  }
}

/** Those never asked for first, and in turn those that were. */
function nextOneByOne({ entries }: Ledger): readonly SqlRow[] {
  const select = `SELECT workflowId, command, kind FROM canary WHERE ${UNSEEN} AND (${NEVER_LISTED} OR verifiedAt <= ?)`;
  const after = Date.now() - STRAGGLES_AFTER_MS;
  const never = entries.all(`${select} AND askedAt IS NULL ORDER BY row LIMIT ?`, after, SEARCHES - REPEATED);
  const before = entries.all(
    `${select} AND askedAt IS NOT NULL ORDER BY askedAt LIMIT ?`,
    after,
    SEARCHES - never.length,
  );
  return [...never, ...before];
}

async function isShown(
  target: CanaryTarget,
  namespace: string,
  { workflowId, kind }: { readonly workflowId: string; readonly kind: string },
): Promise<boolean> {
  const byAttribute = `${CANARY_ATTRIBUTE} = '${quoted(workflowId)}'`;
  const byId = `WorkflowId = '${quoted(workflowId)}' AND ExecutionStatus = 'Completed'`;
  const query = kind === 'searchAttributes' ? byAttribute : byId;
  const [found, ...others] = (await list(target, { namespace, query })).executions;
  // Neither another one with its value, nor itself as it was before it ended.
  if (others.length > 0 || found?.execution?.workflowId !== workflowId) return false;
  return found.status === WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED;
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
