import type { RestoreOrder } from '../store-restore.js';
import type { InStep } from '../store-parts/in-step.js';

/** NAMEDATALEN - 1 of PostgreSQL: it cuts longer names, so that two could become one. MySQL has one character more. */
const MOST_BYTES = 63;

/** Begins the comments by which a database of a restore is known. */
export const MARK = 'temporal-upgrade restore';

/** The database into which a backup is restored before it takes the place of `database`. */
export function restoringName(database: string): string {
  return fit(database, '_restoring');
}

/** What `database` is called after another has taken its place. */
export function keptName(database: string, stamp: string): string {
  return fit(database, `_before_restore_${stamp}`);
}

/** What a mark is of. */
export type Marked = Pick<RestoreOrder, 'stamp' | 'sha256'>;

/** Mark of a database that has all of a backup, checked. */
export function restoredMark({ stamp, sha256 }: Marked): string {
  return `${MARK} ${stamp}: has all of backup ${sha256}`;
}

/** Mark of a visibility database that shows what the default store says, with what that took. */
export function inStepMark(order: Marked, { removed, corrected }: InStep): string {
  return `${restoredMark(order)}; in step with the default store: ${removed} removed, ${corrected} corrected`;
}

/** What {@link inStepMark} wrote; undefined when `text` is another mark. */
export function parseInStepMark(text: string, order: Marked): InStep | undefined {
  const [, removed, corrected] = /: (\d+) removed, (\d+) corrected$/.exec(text) ?? [];
  if (removed === undefined || !text.startsWith(restoredMark(order))) return undefined;
  return { removed: Number(removed), corrected: Number(corrected) };
}

/** The beginning is cut, by whole characters, where the whole would be too long. */
function fit(database: string, suffix: string): string {
  let base = database;
  while (Buffer.byteLength(base + suffix) > MOST_BYTES) base = [...base].slice(0, -1).join('');
  return base + suffix;
}
