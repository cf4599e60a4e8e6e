import { valueAt, withoutValue, withValue, type Values } from './values.js';

/** A key of the operator's that a version of the chart has somewhere else, or no longer. Never holds a value. */
export interface ValueMove {
  readonly from: string;
  /** Where it is now; undefined where the chart needs it no longer. */
  readonly to?: string | undefined;
  /** Where it changes on the way: what becomes of its fields. */
  readonly how?: string | undefined;
  /** Whether the chart fails on the old key; others it ignores without a word. */
  readonly refused: boolean;
  /** Where the chart says so. */
  readonly source: string;
}

/** Something of the operator's values that only the operator can carry over. */
export interface ValueLeft {
  readonly key: string;
  readonly why: string;
  readonly action: string;
  /** Whether servers or data would be lost. */
  readonly stops: boolean;
  readonly source: string;
}

/** Values on their way from one shape of the chart to another. */
export interface Migration {
  readonly values: Values;
  readonly moved: readonly ValueMove[];
  readonly left: readonly ValueLeft[];
}

/** Moves what stands at `from`. What stands at `to` already was written for the new chart, and counts. */
export function moveValue(migration: Migration, move: ValueMove): Migration {
  const value = valueAt(migration.values, move.from);
  if (value === undefined) return migration;
  const values = withoutValue(migration.values, move.from);
  const isThere = move.to === undefined || valueAt(values, move.to) !== undefined;
  return {
    ...migration,
    values: isThere ? values : withValue(values, move.to, value),
    moved: [...migration.moved, move],
  };
}

/** Names what has to be carried over by hand. */
export function leaveValue(migration: Migration, left: ValueLeft): Migration {
  return { ...migration, left: [...migration.left, left] };
}

/** A move for people: `server.internalFrontend -> server.internal-frontend`. */
export function moveLine({ from, to, how }: ValueMove): string {
  const line = to === undefined ? `${from} goes` : `${from} -> ${to}`;
  return how === undefined ? line : `${line} (${how})`;
}
