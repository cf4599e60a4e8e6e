/** One run of a workflow as the default store has it. */
export interface StoredRun {
  readonly namespaceId: string;
  readonly workflowId: string;
  readonly runId: string;
  /** Of `temporal.api.enums.v1.WorkflowExecutionStatus`. */
  readonly status: number;
  /** Of its shard: every task of the shard from now on has an id above `rangeId << 20`. */
  readonly rangeId: bigint;
}

/** The same as visibility shows it. */
export interface VisibleRun {
  readonly namespaceId: string;
  readonly runId: string;
  readonly status: number;
  /** Id of the task that wrote the row last; null where the schema has no such column yet. */
  readonly version: bigint | null;
}

/**
 * `remove`: the default store does not know it. `correct`: it shows what the default store does not say, or would refuse what
 * the servers write from now on. `write`: it is running and not shown.
 */
export type Difference = 'remove' | 'correct' | 'write';

/** Running, and paused: what its servers still write by themselves. Others are written once more only if a task is left. */
const OPEN: readonly number[] = [1, 8];
/** RangeSizeBits of the history service (service/history/configs/config.go), the same since 1.0. */
const RANGE_BITS = 20n;

/** How a row of visibility differs from what the default store says; the default store is the truth. */
export function differenceOf(stored: StoredRun | undefined, visible: VisibleRun | undefined): Difference | undefined {
  if (stored === undefined) return visible === undefined ? undefined : 'remove';
  // Closed: its close is shown, or is still among the tasks that were backed up with it, or its row was deleted as it will be.
  if (!OPEN.includes(stored.status)) return undefined;
  if (visible === undefined) return 'write';
  if (visible.status !== stored.status) return 'correct';
  // A row is overwritten only by a task with a higher id. Ids begin anew with the next range of the shard.
  const nextTaskId = (stored.rangeId + 1n) << RANGE_BITS;
  return visible.version !== null && visible.version >= nextTaskId ? 'correct' : undefined;
}

/** The differences of two series, each ordered by namespace id and run id; holds one pair at a time. */
export async function* differencesBetween(
  stored: AsyncIterable<StoredRun>,
  visible: AsyncIterable<VisibleRun>,
): AsyncGenerator<{ readonly what: Difference; readonly run: StoredRun | VisibleRun }> {
  const [left, right] = [stored[Symbol.asyncIterator](), visible[Symbol.asyncIterator]()];
  let [one, other] = [await left.next(), await right.next()];
  while (one.done !== true || other.done !== true) {
    const order = one.done === true ? 1 : other.done === true ? -1 : compareKeys(one.value, other.value);
    const ofStored = order <= 0 && one.done !== true ? one.value : undefined;
    const ofVisible = order >= 0 && other.done !== true ? other.value : undefined;
    const what = differenceOf(ofStored, ofVisible);
    const run = ofStored ?? ofVisible;
    if (what !== undefined && run !== undefined) yield { what, run };
    if (ofStored !== undefined) one = await left.next();
    if (ofVisible !== undefined) other = await right.next();
  }
}

type Key = Pick<StoredRun, 'namespaceId' | 'runId'>;

/** As the database orders them, by bytes: ids are hexadecimal digits and dashes. */
function compareKeys(a: Key, b: Key): number {
  const [left, right] = [`${a.namespaceId} ${a.runId}`, `${b.namespaceId} ${b.runId}`];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
