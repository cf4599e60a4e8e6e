import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { LeftOverStep } from '../survey/store-survey.js';
import { describeDifference, type ShapeDifference } from '../schema/shape-difference.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { type ReachedStore, soundStores, stopsHop, unseenFinding } from './about-store.js';

/** The tables are as the scripts of the schema version make them, and no index was left half-built. */
export const storeShape: Check = (survey, context) =>
  soundStores(survey, context).flatMap((reached) => {
    // Without a version there is nothing to compare with, and that is told already.
    if ('unseen' in reached.store.schemaVersion) return [];
    return [...differences(reached, context), ...invalidIndexes(reached, context)];
  });

function differences({ store, name }: ReachedStore, context: CheckContext): Finding[] {
  if ('unseen' in store.shape) {
    return [
      unseenFinding('schema-shape-unseen', 'warn', {
        what: `whether the tables of ${name} are as its schema version says`,
        reason: store.shape.unseen,
        action: 'Compare them by hand with the scripts of that version',
      }),
    ];
  }
  const version = valueOf(store.schemaVersion);
  // What a killed schema tool dropped or changed is told as what is left of its step, and the next one mends it.
  const left = (store.scripts && valueOf(store.scripts)?.leftOvers) ?? [];
  const unexplained = store.shape.seen.filter((one) => !left.some((step) => explains(step, one)));
  return unexplained.map((difference) => {
    const found = `${name}: ${describeDifference(difference)}`;
    const id = `schema-${difference.kind}`;
    const source = `tables that the scripts of schema ${version} make, as the catalogue has them`;
    const action = mendText(difference);
    if (difference.harmless) {
      return { id, severity: 'note', found, source, ...(difference.mend.length === 0 ? {} : { action }) };
    }
    return { id, severity: severityOf(difference, context), found, expected: expectedText(difference), action, source };
  });
}

/** Where the shape is unseen, its indexes are still worth a look: the schema phase stops at one that is half-built. */
function invalidIndexes({ store, name }: ReachedStore, context: CheckContext): Finding[] {
  if ('seen' in store.shape) return [];
  return (valueOf(store.invalidIndexes) ?? []).map((index) => ({
    id: 'schema-index-invalid',
    severity: stopsHop(context),
    found: `${name}: index ${index} was not built to the end, so it is never used`,
    expected: 'only indexes that were built to the end',
    action: `REINDEX INDEX CONCURRENTLY "${index}";`,
    source: 'PostgreSQL documentation, CREATE INDEX, Building Indexes Concurrently',
  }));
}

function explains({ about, doubt }: LeftOverStep, { kind, table, name }: ShapeDifference): boolean {
  if (about === undefined || doubt !== undefined || about.table !== table) return false;
  if (kind === 'table-missing') return about.column === undefined && about.index === undefined;
  return name !== undefined && name === (kind.startsWith('index') ? about.index : about.column);
}

function severityOf({ kind, expected, found }: ShapeDifference, context: CheckContext): 'block' | 'warn' {
  switch (kind) {
    case 'table-missing':
    case 'column-missing':
    case 'column-generated':
    case 'column-extra':
    case 'primary-key':
    case 'index-not-unique':
      return 'block'; // statements of the server or of later scripts fail, or do what they should not
    case 'column-type':
      return isWider(expected ?? '', found ?? '') ? 'warn' : 'block';
    case 'column-nullability':
      return found === 'not null' ? 'block' : 'warn'; // it may refuse rows that the server writes
    case 'index-invalid':
      return stopsHop(context);
    default:
      return 'warn';
  }
}

const WIDTH = /^(?:character varying|varchar|varbinary)(?:\((\d+)\))?$/;
const INTEGERS = ['tinyint', 'smallint', 'mediumint', 'int', 'integer', 'bigint'];
/** Types without a width, from the narrowest to the widest. */
const UNBOUNDED = ['text', 'mediumtext', 'longtext'];
const BINARY = ['blob', 'mediumblob', 'longblob'];

/** Whether a column of type `found` takes every value that one of `expected` takes. */
function isWider(expected: string, found: string): boolean {
  const [from, to] = [WIDTH.exec(expected), WIDTH.exec(found)];
  if (from !== null && UNBOUNDED.includes(found)) return true;
  if (from !== null && to !== null) return to[1] === undefined || Number(to[1]) >= Number(from[1] ?? Infinity);
  return [INTEGERS, UNBOUNDED, BINARY].some(
    (types) => types.includes(expected) && types.indexOf(found) > types.indexOf(expected),
  );
}

function expectedText({ kind, expected }: ShapeDifference): string {
  if (kind === 'table-missing') return 'the table';
  if (kind === 'column-extra' || expected === undefined) return 'nothing of that name';
  return expected;
}

function mendText({ kind, mend }: ShapeDifference): string {
  if (mend.length > 0) return mend.join(' ');
  return kind === 'index-extra' || kind === 'column-extra'
    ? 'Find out who made it and drop it if nobody needs it'
    : 'Find out what changed it, and bring it back by hand: it may take a decision about the data';
}
