/** Running workflows of one namespace. */
export interface RunningCount {
  readonly running: number;
  /** By workflow type; not those of types too many to name, or with quotes in their names. */
  readonly types: Readonly<Record<string, number>>;
}

/** By namespace. */
export type RunningCounts = Readonly<Record<string, RunningCount>>;

/** A workflow that should have gone on and did not. */
export interface StuckRun {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly why: string;
  /** When it should have, ISO 8601. */
  readonly since: string;
}

/** Workflows that should have gone on. A result of an activity: the names of all are in the file. */
export interface StuckRuns {
  readonly count: number;
  /** How many of them had been stuck before the hop already. */
  readonly sinceBefore: number;
  readonly examples: readonly StuckRun[];
  /** Running ones whose history is too long to look for timers in it. */
  readonly historiesUnread: number;
  /** JSON lines, one for each; absent when there is none. */
  readonly file?: string | undefined;
}

/** The largest counts, so that a cluster of any size fits into a history: whatever is left out stays in the sums. */
export function largestCounts(counts: RunningCounts, most = { namespaces: 50, types: 10 }): RunningCounts {
  const namespaces = Object.entries(counts).toSorted(([, a], [, b]) => b.running - a.running);
  return Object.fromEntries(
    namespaces.slice(0, most.namespaces).map(([name, { running, types }]) => {
      const largest = Object.entries(types).toSorted(([, a], [, b]) => b - a);
      return [name, { running, types: Object.fromEntries(largest.slice(0, most.types)) }];
    }),
  );
}
