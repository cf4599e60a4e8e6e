import type { Catalogue } from '../catalogue/catalogue.js';
import { avoidRules } from './choose-version.js';
import type { Finding } from '../finding.js';
import type { Move, StoreKind, StorePart, Stores } from '../plan.js';
import { isIn } from '../catalogue/rule-parts.js';
import { type MoveRule } from '../catalogue/rules.js';
import { findSchemaVersion, schemaVersion } from '../schema/schema-version.js';
import { STORE_PARTS } from '../stores.js';
import { compareVersions } from '../version.js';

/** The stores that a cluster has, each with its kind. */
export function partsOf(stores: Stores): readonly { readonly part: StorePart; readonly kind: StoreKind }[] {
  return STORE_PARTS.flatMap((part) => {
    const kind = stores[part];
    return kind === undefined ? [] : [{ part, kind }];
  });
}

/** Kinds of the stores of a cluster, each once. */
export function kindsOf(stores: Stores): StoreKind[] {
  return [...new Set(partsOf(stores).map(({ kind }) => kind))];
}

export interface MoveRequest {
  readonly catalogue: Catalogue;
  /** Version that runs now. */
  readonly at: string;
  /** Where the path ends. */
  readonly goal: string;
  readonly stores: Stores;
  /** Kind to move a part to, where the catalogue leaves a choice. */
  readonly moveTo?: Partial<Record<StorePart, StoreKind>> | undefined;
}

/**
 * What must be done about the stores while `at` runs, because a version further on does not take them any more: as soon as
 * the path reaches a version that takes both the old and the new kind.
 */
export function movesAt({ catalogue, at, goal, stores, moveTo = {} }: MoveRequest): Move[] {
  return partsOf(stores).flatMap(({ part, kind }) => {
    const rule = moveRule(catalogue, part, kind);
    if (rule === undefined || !isIn(at, rule.at) || compareVersions(goal, rule.at.before) < 0) return [];
    const asked = moveTo[part];
    const toKind = asked !== undefined && rule.toKinds.includes(asked) ? asked : rule.toKinds[0];
    if (toKind === undefined || avoidRules(catalogue, at, [toKind]).length > 0) return [];
    // A version that is to be avoided with the new kind is not where one moves to it; the next one will do.
    if (findSchemaVersion(catalogue, at, toKind, part) === undefined) return [];
    return [
      {
        id: rule.id,
        part,
        fromKind: kind,
        toKind,
        at,
        before: rule.at.before,
        steps: rule.steps,
        schema: {
          from: schemaVersion(catalogue, at, kind, part),
          to: schemaVersion(catalogue, at, toKind, part),
        },
        source: rule.source,
      },
    ];
  });
}

/** The stores after moves. */
export function afterMoves(stores: Stores, moves: readonly Move[]): Stores {
  return moves.reduce<Stores>((present, { part, toKind }) => ({ ...present, [part]: toKind }), stores);
}

/** Stores that end further on than the path goes: worth knowing now. */
export function endingStores(catalogue: Catalogue, goal: string, stores: Stores): Finding[] {
  return partsOf(stores).flatMap(({ part, kind }): Finding[] => {
    const rule = moveRule(catalogue, part, kind);
    if (rule === undefined || compareVersions(goal, rule.at.before) >= 0) return [];
    return [
      {
        id: 'store-ends',
        severity: 'note',
        found: `server ${rule.at.before} and later have no ${part} store of kind ${kind}`,
        action: `plan to move it to ${rule.toKinds.join(' or ')} while the servers run ${rule.at.from} or later`,
        source: rule.source,
      },
    ];
  });
}

function moveRule(catalogue: Catalogue, part: StorePart, kind: StoreKind): MoveRule | undefined {
  return catalogue.rules.moves.find(({ parts, fromKind }) => fromKind === kind && parts.includes(part));
}
