import type { Catalogue } from '../catalogue/catalogue.js';
import { databaseFindings, type Databases } from './databases.js';
import { type Finding, worstFirst } from '../finding.js';
import { floorBelow, hopFindings, retracted, toAvoid } from './hop-findings.js';
import type { Hop, Move, Reason, SchemaStep, StoreKind, StorePart, Stores } from '../plan.js';
import { mapStores } from '../stores.js';
import { droppedReasons, rollBackCost } from './roll-back-cost.js';
import { schemaFolder, schemaVersion, scriptsBetween } from '../schema/schema-version.js';
import { SCHEMA_CHECK } from '../sources.js';
import { minorOf } from '../version.js';

export interface HopRequest {
  readonly catalogue: Catalogue;
  readonly from: string;
  readonly to: string;
  readonly reasons: readonly Reason[];
  readonly moves: readonly Move[];
  /** After the moves. */
  readonly stores: Stores;
  readonly databases: Databases;
}

/** One hop forward with all that is to be known of it. @throws PreconditionError when `to` does not have a store */
export function planHop({ catalogue, from, to, reasons, moves, stores, databases }: HopRequest): Hop {
  const step = (kind: StoreKind, part: StorePart): SchemaStep => {
    const folder = schemaFolder(catalogue, kind, part);
    const versions = {
      from: schemaVersion(catalogue, from, kind, part),
      to: schemaVersion(catalogue, to, kind, part),
    };
    return { ...versions, store: kind, folder, scripts: scriptsBetween(catalogue, folder, versions) };
  };
  const schema = mapStores(stores, step);
  const facts = { catalogue, from, to, schema, stores };
  return {
    from,
    to,
    reasons,
    moves,
    schema,
    rollBack: rollBackCost(facts),
    findings: worstFirst([
      ...databaseFindings(catalogue, { from, to, stores }, databases),
      ...moves.map((move) => moveFinding(move)),
      ...hopFindings(facts),
    ]),
  };
}

/** A hop that takes the servers back by one minor, or within one; the schema stays as it is. @throws PreconditionError */
export function planRollBack({ catalogue, from, to, reasons, stores }: Omit<HopRequest, 'moves' | 'databases'>): Hop {
  const stays = (kind: StoreKind, part: StorePart): SchemaStep => {
    schemaVersion(catalogue, to, kind, part);
    const version = schemaVersion(catalogue, from, kind, part);
    return { from: version, to: version, store: kind, folder: schemaFolder(catalogue, kind, part), scripts: [] };
  };
  const forward = planHop({ catalogue, from: to, to: from, reasons: [], moves: [], stores, databases: {} });
  return {
    from,
    to,
    reasons: [
      ...reasons,
      { id: 'schema-stays', text: 'the schema stays: an older server runs on a newer one', source: SCHEMA_CHECK },
    ],
    moves: [],
    schema: mapStores(stores, stays),
    rollBack: { by: 'servers', reasons: [] },
    findings: worstFirst([
      ...retracted({ catalogue, to }),
      ...toAvoid({ catalogue, to, stores }),
      ...belowFloor(catalogue, from, to),
      ...droppedReasons(forward).map(({ text, source }): Finding => ({
        id: 'roll-back-loses',
        severity: 'warn',
        found: `the hop from ${to} to ${from} took something away: ${text}`,
        expected: 'a hop that only adds',
        action: 'What is missing can only be had from the backup that was taken before that hop',
        source,
      })),
    ]),
  };
}

function belowFloor(catalogue: Catalogue, from: string, to: string): Finding[] {
  const floor = floorBelow(catalogue, to, from);
  if (floor === undefined) return [];
  return [
    {
      id: 'rollback-floor',
      severity: 'block',
      found: `${to} is not known to bear what a server of ${minorOf(from)} writes`,
      expected: `${floor} or a later patch of ${minorOf(to)}`,
      action: `Roll back to ${floor} or later`,
      source: `catalogue, roll-back target of ${minorOf(to)}`,
    },
  ];
}

/** A store that has to be moved is work of days: nobody should meet it half-way. */
function moveFinding({ id, part, fromKind, toKind, at, before, source }: Move): Finding {
  return {
    id,
    severity: 'warn',
    found: `server ${before} and later have no ${part} store of kind ${fromKind}`,
    expected: `the ${part} store as ${toKind} before this hop`,
    action: `Move it while the servers run ${at}, by the steps that are listed with this hop`,
    source,
  };
}
