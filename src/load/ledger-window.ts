import type { BadOutcome, LedgerSummary, LoadWindow, Percentiles } from '../core/ledger.js';
import type { LedgerFile } from './ledger-file.js';

const EXAMPLES = 10;
/** Visibility is written after the history; what it does not show for so long, it does not show. */
const SHOWN_WITHIN_MS = 120_000;
/** Long canaries start together, ticks are started by the server: no open loop. */
const OPEN_LOOP = `kind NOT IN ('long', 'tick')`;

const OUTCOMES = ['completed', 'running', 'lost', 'duplicated', 'wrong', 'failed'] as const;
type OutcomeCounts = Readonly<Record<(typeof OUTCOMES)[number], number>>;

/** The counts of the ledger as it is; asks nobody. */
export function readSummary(file: LedgerFile): LedgerSummary {
  const counts = countOutcomes(file);
  const unseen = countUnseen(file);
  const leftOut = readLeftOut(file);
  return {
    started: OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0),
    ...counts,
    failedCalls: file.count('SELECT count(*) AS n FROM failedCall'),
    examples: readExamples(file),
    ...(counts.running === 0 ? {} : { runningBecause: explainRunning(file) }),
    ...(unseen === null ? {} : { unseen }),
    ...(leftOut.length === 0 ? {} : { leftOut }),
  };
}

/** What the load did from `from` until before `to`, milliseconds since 1970. Without the probe. */
export function readWindow(file: LedgerFile, from: number, to: number): LoadWindow {
  const { completed, lost, duplicated, wrong, failed } = countOutcomes(file);
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
  return {
    started,
    ...{ completed, lost, duplicated, wrong, failed },
    failedCalls: file.count('SELECT count(*) AS n FROM failedCall WHERE at >= ? AND at < ?', from, to),
    intended,
    startLatencyMs: intended === 0 ? null : readStartLatency(file, { from, to, intended }),
    examples: readExamples(file),
  };
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

/** Canaries that the target has confirmed, by outcome; those never looked at count as running. */
function countOutcomes(file: LedgerFile): OutcomeCounts {
  const rows = file.all(
    `SELECT coalesce(outcome, 'running') AS outcome, count(*) AS n FROM canary WHERE startedAt IS NOT NULL GROUP BY 1`,
  );
  const counts = new Map(rows.map(({ outcome, n }) => [outcome, Number(n)]));
  const count = (outcome: string) => counts.get(outcome) ?? 0;
  return {
    completed: count('completed'),
    running: count('running'),
    lost: count('lost'),
    duplicated: count('duplicated'),
    wrong: count('wrong'),
    failed: count('failed'),
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

/** Null where visibility has never been asked, or could not answer. */
function countUnseen(file: LedgerFile): number | null {
  const asked = file.readMeta('witnessedAt');
  if (asked === undefined) return null;
  return file.count(
    `SELECT count(*) AS n FROM canary WHERE seen = 0 AND outcome = 'completed' AND kind <> 'own' AND verifiedAt < ?`,
    Number(asked) - SHOWN_WITHIN_MS,
  );
}

function readLeftOut(file: LedgerFile): readonly string[] {
  const text = file.readMeta('leftOut');
  const value: unknown = text === undefined ? [] : JSON.parse(text);
  return Array.isArray(value) ? value.map(String) : [];
}

/** Each outcome has its first one before any has a second. */
function readExamples(file: LedgerFile): LoadWindow['examples'] {
  return file
    .all(
      `SELECT workflowId, outcome, coalesce(reason, outcome) AS reason,
         row_number() OVER (PARTITION BY outcome ORDER BY row) AS nth FROM canary
       WHERE startedAt IS NOT NULL AND outcome IN ('lost', 'duplicated', 'wrong', 'failed') ORDER BY nth, row LIMIT ?`,
      EXAMPLES,
    )
    .map(({ workflowId, reason, outcome }) => ({
      workflowId: String(workflowId),
      reason: String(reason),
      outcome: outcome as BadOutcome, // the query asks for these four
    }));
}
