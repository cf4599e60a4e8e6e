const LENGTH = 8;

/**
 * Tells roll-outs of one workflow id apart. From the end of a run's id: in newer servers (UUIDv7) its first eight digits are a
 * time in pieces of 65 seconds, which two roll-outs may share that are begun one after the other.
 */
export function markOfRun(runId: string): string {
  return runId.slice(-LENGTH);
}

/** How a roll-out is told apart in the ids of what works beside it, from its first run to its last. */
export interface MarkedBy {
  /** By {@link markOfRun}. Absent where an earlier release began it, which took the first digits: it goes on under them. */
  readonly lastDigits?: true | undefined;
}

/** The mark of a run of such a roll-out. */
export function markIn({ lastDigits }: MarkedBy, runId: string): string {
  return lastDigits === true ? markOfRun(runId) : runId.slice(0, LENGTH);
}
