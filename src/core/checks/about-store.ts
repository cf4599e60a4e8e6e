import type { Finding, Severity } from '../finding.js';
import { partsOf } from '../planning/moves.js';
import type { SchemaStep, StoreKind, StorePart } from '../plan.js';
import { valueOf } from '../survey/seen.js';
import type { StoreSurvey } from '../survey/store-survey.js';
import type { CheckContext, Survey } from '../survey/survey.js';

/** Where what was measured comes from, for findings without another rule behind them. */
export const SURVEY = 'survey of the database';

/** A store that was reached. */
export interface ReachedStore {
  readonly part: StorePart;
  readonly kind: StoreKind;
  readonly store: StoreSurvey;
  /** For people: `the visibility store (database "x" at db:5432)`. */
  readonly name: string;
  /** What the coming hop does to its schema; absent when none comes. */
  readonly step?: SchemaStep | undefined;
}

/** The stores whose database was reached; the others are told once, by the check for that. */
export function reachedStores(survey: Survey, { stores, hop }: CheckContext): ReachedStore[] {
  return partsOf(stores).flatMap(({ part, kind }) => {
    const store = survey.stores[part];
    if (store === undefined || 'unseen' in store.database) return [];
    return [{ part, kind, store, name: storeName(part, store), step: hop?.schema[part] }];
  });
}

/** For people: `the visibility store (database "x" at db:5432)`. */
export function storeName(part: StorePart, { place }: StoreSurvey): string {
  return `the ${partName(part)} store (${place})`;
}

/** `secondary visibility` for people. */
export function partName(part: StorePart): string {
  return part === 'secondaryVisibility' ? 'secondary visibility' : part;
}

/**
 * Reached stores that hold their own tables and no others. Of tables that are mixed up, neither a version nor a shape says
 * anything; which tables there are is a check of its own.
 */
export function soundStores(survey: Survey, context: CheckContext): ReachedStore[] {
  return reachedStores(survey, context).filter(({ part, store }) => {
    const tables = valueOf(store.tables);
    if (tables === undefined) return true;
    return part === 'default' ? tables.default && !tables.visibility : tables.visibility && !tables.default;
  });
}

/** What stops a hop is only worth a warning while none is about to be done. */
export function stopsHop({ hop }: CheckContext): Severity & ('block' | 'warn') {
  return hop === undefined ? 'warn' : 'block';
}

/** What was looked for and not seen: a check that could not be made is never passed. */
export function unseenFinding(
  id: `${string}-unseen`,
  severity: 'block' | 'warn',
  { what, reason, action }: { readonly what: string; readonly reason: string; readonly action: string },
): Finding {
  return { id, severity, found: `${what}: not seen, ${reason}`, expected: 'an answer', action, source: SURVEY };
}

/** The same for what changes no decision. */
export function noteUnseen(id: `${string}-unseen`, what: string, reason: string): Finding {
  return { id, severity: 'note', found: `${what}: not seen, ${reason}`, source: SURVEY };
}

/** `1.5 GiB`, for people. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
