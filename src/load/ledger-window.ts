import type { BadOutcome, LedgerSummary, LoadWindow, Percentiles } from '../core/ledger.js';
import type { Outcome } from './ledger.js';
import type { LedgerFile } from './ledger-file.js';
import { readLeftOut, readLeftOutLater } from './left-out.js';

const EXAMPLES = 10;
const REASONS = 3;
/** Visibility is written after the history; what it does not show for so long, it does not show. */
const SHOWN_WITHIN_MS = 120_000;
/** Long canaries start together, ticks are started by the server: no open loop. */
const OPEN_LOOP = `kind NOT IN ('long', 'tick')`;

type OutcomeCounts = Readonly<Record<Outcome, number>>;

/**
 * The counts of the ledger as it is; asks nobody. What is bad, and what visibility does not show, is counted from when that
 * was found: at `since` (milliseconds since 1970) or later.
 */
export function readSummary(file: LedgerFile, since = 0): LedgerSummary {
  const { started, counts } = countOutcomes(file, since);
  const unseen = countUnseen(file, since);
  const leftOut = readLeftOut(file);
  const undone = countUndone(file);
  return {
    started,
    ...counts,
    failedCalls: file.count('SELECT count(*) AS n FROM failedCall'),
    examples: readExamples(file, since),
    ...(counts.running === 0 ? {} : { runningBecause: explainRunning(file) }),
    ...(unseen === null ? {} : { unseen }),
    ...(undone === 0 ? {} : { undone }),
    ...(leftOut.length === 0 ? {} : { leftOut }),
  };
}

/** Ends in milliseconds since 1970; `to` itself is outside. */
interface Ends {
  readonly from: number;
  readonly to: number;
}

/**
 * What the load did in a window. Bad canaries are those found to be so since it began: what was found before was judged
 * then. Without the probe.
 */
export function readWindow(file: LedgerFile, { from, to }: Ends): LoadWindow {
  const { completed, lost, duplicated, wrong, failed } = countOutcomes(file, from).counts;
  const started = file.count(
    `SELECT count(*) AS n FROM canary WHERE startedAt >= ? AND startedAt < ? AND ${OPEN_LOOP}`,
    from,
    to,
  );
  const intended = file.count(
    `SELECT count(*) AS n FROM canary WHERE intendedAt >= ? AND intendedAt < ? AND ${OPEN_LOOP}`,
    from,
    to,
  );
  const failedCallReasons = readFailedCallReasons(file, { from, to });
  const leftOutLater = [...readLeftOutLater(file, from, to), ...readProblems(file, { from, to })];
  return {
    started,
    ...{ completed, lost, duplicated, wrong, failed },
    failedCalls: file.count('SELECT count(*) AS n FROM failedCall WHERE at >= ? AND at < ?', from, to),
    ...(failedCallReasons.length === 0 ? {} : { failedCallReasons }),
    intended,
    startLatencyMs: intended === 0 ? null : readStartLatency(file, { from, to, intended }),
    examples: readExamples(file, from),
    ...(leftOutLater.length === 0 ? {} : { leftOutLater }),
  };
}

/** The most frequent ones, such as "start: 14 UNAVAILABLE: No connection established (12 times)". */
function readFailedCallReasons(file: LedgerFile, { from, to }: Ends): readonly string[] {
  return file
    .all(
      `SELECT call, reason, count(*) AS n FROM failedCall WHERE at >= ? AND at < ?
       GROUP BY call, reason ORDER BY n DESC, min(at) LIMIT ?`,
      from,
      to,
      REASONS,
    )
    .map(({ call, reason, n }) => `${String(call)}: ${String(reason)} (${n === 1 ? 'once' : `${String(n)} times`})`);
}

/** What kept the load from its work, though the target did not. */
function readProblems(file: LedgerFile, { from, to }: Ends): readonly string[] {
  return file
    .all('SELECT DISTINCT reason FROM problem WHERE at >= ? AND at < ? LIMIT ?', from, to, REASONS)
    .map(({ reason }) => `everything (${String(reason)})`);
}

function readStartLatency(
  file: LedgerFile,
  { from, to, intended }: { readonly from: number; readonly to: number; readonly intended: number },
): Percentiles {
  // Sorted by the database: a window of hours does not fit into memory. One that took until after the window, or was
  // never confirmed, is in it with what it had waited by then, so that a target that hangs shows while it hangs.
  const at = (share: number) =>
    Number(
      file.get(
        `SELECT min(coalesce(startedAt, ?1), ?1) - intendedAt AS ms FROM canary
         WHERE intendedAt >= ?2 AND intendedAt < ?1 AND ${OPEN_LOOP} ORDER BY 1 LIMIT 1 OFFSET ?3`,
        to,
        from,
        Math.min(intended - 1, Math.floor(intended * share)),
      )?.['ms'],
    );
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/**
 * Canaries that the target has confirmed: all, and by outcome, bad ones only when found to be so at `since` or later. Those
 * never looked at count as running.
 */
function countOutcomes(file: LedgerFile, since: number): { readonly started: number; readonly counts: OutcomeCounts } {
  const rows = file.all(
    `SELECT coalesce(outcome, 'running') AS outcome, count(*) AS n,
       count(*) FILTER (WHERE badSince IS NULL OR badSince >= ?) AS counted
     FROM canary WHERE startedAt IS NOT NULL GROUP BY 1`,
    since,
  );
  const counts = new Map(rows.map(({ outcome, counted }) => [outcome, Number(counted)]));
  const count = (outcome: string) => counts.get(outcome) ?? 0;
  return {
    started: rows.reduce((sum, { n }) => sum + Number(n), 0),
    counts: {
      completed: count('completed'),
      running: count('running'),
      lost: count('lost'),
      duplicated: count('duplicated'),
      wrong: count('wrong'),
      failed: count('failed'),
    },
  };
}

/** Each that runs has a reason to: what it waits for, or that it has not been looked at since. */
function explainRunning(file: LedgerFile): Readonly<Record<string, number>> {
  const rows = file.all(
    `SELECT CASE
       WHEN kind = 'long' AND readyAt IS NULL THEN 'not released yet'
       WHEN dueAt IS NOT NULL THEN 'with calls still to come'
       WHEN verifiedAt IS NULL THEN 'not looked at yet'
       ELSE 'on their way to the end' END AS why, count(*) AS n
     FROM canary WHERE startedAt IS NOT NULL AND coalesce(outcome, 'running') = 'running' GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ why, n }) => [String(why), Number(n)]));
}

/** Null where visibility has never been asked, or could not answer. Only those count that it was asked for long enough after. */
function countUnseen(file: LedgerFile, since: number): number | null {
  if (file.readMeta('witnessedAt') === undefined) return null;
  return file.count(
    `SELECT count(*) AS n FROM canary WHERE seen = 0 AND outcome = 'completed' AND kind <> 'own'
       AND askedAt >= verifiedAt + ?1 AND verifiedAt + ?1 >= ?2`,
    SHOWN_WITHIN_MS,
    since,
  );
}

/** Each outcome has its first one before any has a second. */
function readExamples(file: LedgerFile, since: number): LoadWindow['examples'] {
  return file
    .all(
      `SELECT workflowId, outcome, coalesce(reason, outcome) AS reason,
         row_number() OVER (PARTITION BY outcome ORDER BY badSince, row) AS nth FROM canary
       WHERE startedAt IS NOT NULL AND badSince >= ? ORDER BY nth, row LIMIT ?`,
      since,
      EXAMPLES,
    )
    .map(({ workflowId, reason, outcome }) => ({
      workflowId: String(workflowId),
      reason: String(reason),
      outcome: outcome as BadOutcome, // the query asks for these four
    }));
}

/** How many canaries a restore has undone. */
export function countUndone(file: LedgerFile): number {
  return file.count(`SELECT count(*) AS n FROM canary WHERE outcome = 'undone'`);
}
