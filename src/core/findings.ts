import { type Catalogue, isRetracted, minorFacts, newestPatch } from './catalogue.js';
import type { Finding, Hop, SchemaStep, StoreKind } from './plan.js';
import { schemaFolder, type StorePart } from './schema-version.js';
import { compareSchemaVersions, compareVersions, minorOf } from './version.js';

/** Where the rule of one minor at a time comes from. */
export const UPGRADE_GUIDE =
  'Temporal documentation, Upgrade the Temporal Server (https://docs.temporal.io/self-hosted-guide/upgrade-server)';

/** A hop before its findings are known. */
export interface HopFacts extends Omit<Hop, 'findings'> {
  readonly catalogue: Catalogue;
  readonly stores: Readonly<Record<StorePart, StoreKind>>;
}

/** What the catalogue has to say about a hop, worst first. */
export function hopFindings(hop: HopFacts): Finding[] {
  const rank = { blocking: 0, warning: 1, note: 2 };
  return [
    ...retracted(hop),
    ...belowEntry(hop),
    ...rollbackFloor(hop),
    ...schemaScripts(hop),
    ...schemaRemovals(hop),
    ...patchBehind(hop),
    ...noSchemaChange(hop),
    ...notes(hop),
  ].toSorted((a, b) => rank[a.severity] - rank[b.severity]);
}

function retracted({ catalogue, to }: HopFacts): Finding[] {
  if (!isRetracted(catalogue, to)) return [];
  const facts = minorFacts(catalogue, to);
  const newest = facts && newestPatch(facts);
  return [
    {
      id: 'patch-retracted',
      severity: 'blocking',
      message: `${to} was retracted by its makers; ${newest === undefined ? 'leave it out' : `take ${newest}`} instead`,
      source: `catalogue, retracted patches of ${minorOf(to)}`,
    },
  ];
}

function belowEntry({ catalogue, to }: HopFacts): Finding[] {
  const entry = minorFacts(catalogue, to)?.enterAtPatch;
  if (entry === undefined || isRetracted(catalogue, to) || compareVersions(to, entry) >= 0) return [];
  return [
    {
      id: 'patch-has-defect',
      severity: 'warning',
      message: `${to} has a known defect; ${entry} is the lowest patch of ${minorOf(to)} without one`,
      source: `catalogue, patch to enter ${minorOf(to)} at`,
    },
  ];
}

function rollbackFloor({ catalogue, from, to }: HopFacts): Finding[] {
  const facts = minorFacts(catalogue, from);
  const floor = facts?.rollbackTargetMinPatch ?? undefined;
  if (facts === undefined || floor === undefined || facts.minor === minorOf(to)) return [];
  if (compareVersions(from, floor) >= 0) return [];
  const sources = facts.notes.filter(({ fact }) => fact.includes(floor)).map(({ source }) => source);
  return [
    {
      id: 'rollback-floor',
      severity: 'warning',
      message:
        `rolling back from ${to} would end at ${from}, but ${floor} is the lowest patch of ${facts.minor} known to bear ` +
        `what a server of ${minorOf(to)} writes; pin {"${facts.minor}": "${newestPatch(facts) ?? floor}"} to pass through it first`,
      source: ['catalogue, roll-back target', ...sources].join('; '),
    },
  ];
}

function schemaScripts(hop: HopFacts): Finding[] {
  const { catalogue, to } = hop;
  return parts(hop).flatMap(({ folder, step }) =>
    catalogue.schemaScripts.scripts
      .filter(({ store, schemaVersions: { from, to: last }, serverVersions }) => {
        const runs = compareSchemaVersions(last, step.from) > 0 && compareSchemaVersions(from, step.to) <= 0;
        const shipped = compareVersions(to, serverVersions.from) >= 0 && compareVersions(to, serverVersions.to) <= 0;
        return store === folder && runs && shipped;
      })
      .map(({ schemaVersions, effect, betterFrom, source }) => {
        const numbers =
          schemaVersions.from === schemaVersions.to
            ? `${schemaVersions.to}`
            : `${schemaVersions.from} to ${schemaVersions.to}`;
        const script = `schema ${numbers} of ${folder}, as ${to} has it: ${effect}`;
        return betterFrom === undefined
          ? ({ id: 'schema-script-cost', severity: 'note', message: script, source } as const)
          : ({
              id: 'schema-script-costly',
              severity: 'warning',
              message: `${script}. The script changed under the same number: take ${betterFrom} or later instead`,
              source,
            } as const);
      }),
  );
}

function schemaRemovals(hop: HopFacts): Finding[] {
  return parts(hop).flatMap(({ folder, step }) =>
    hop.catalogue.minors
      .flatMap(({ schemaSteps }) => schemaSteps)
      .filter(({ store, version }) => store === folder && isWithin(version, step))
      .filter(({ removesOrRewrites }) => removesOrRewrites.length > 0)
      .map(({ version, description, removesOrRewrites }) => ({
        id: 'schema-removes',
        severity: 'warning',
        message:
          `schema ${version} of ${folder} (${description.replace(/\.$/, '')}) removes or rewrites: ` +
          `${removesOrRewrites.join(', ')}. A roll-back to ${hop.from} will not find what it removed`,
        source: `schema/${folder}/versioned/v${version} of the server`,
      })),
  );
}

/** The present text of the guide asks for the newest patch of the present minor before the next minor. */
function patchBehind({ catalogue, from, to }: HopFacts): Finding[] {
  const facts = minorFacts(catalogue, from);
  const newest = facts && newestPatch(facts);
  if (newest === undefined || minorOf(from) === minorOf(to) || compareVersions(from, newest) >= 0) return [];
  return [
    {
      id: 'patch-behind',
      severity: 'note',
      message: `${from} is not the newest patch of ${minorOf(from)}; pin {"${minorOf(from)}": "${newest}"} to go there first`,
      source: UPGRADE_GUIDE,
    },
  ];
}

function noSchemaChange({ from, to, schema }: HopFacts): Finding[] {
  if (schema.default.from !== schema.default.to || schema.visibility.from !== schema.visibility.to) return [];
  return [
    {
      id: 'no-schema-change',
      severity: 'note',
      message: `no store changes between ${from} and ${to}: default ${schema.default.to}, visibility ${schema.visibility.to}`,
      source: `catalogue, schema of ${minorOf(to)}`,
    },
  ];
}

function notes({ catalogue, to }: HopFacts): Finding[] {
  return (minorFacts(catalogue, to)?.notes ?? []).map(({ fact, source }) => ({
    id: 'release-note',
    severity: 'note',
    message: fact,
    source,
  }));
}

function parts({ schema, stores }: HopFacts): { readonly folder: string; readonly step: SchemaStep }[] {
  return (['default', 'visibility'] as const).map((part) => ({
    folder: schemaFolder(stores[part], part),
    step: schema[part],
  }));
}

function isWithin(version: string, { from, to }: SchemaStep): boolean {
  return compareSchemaVersions(version, from) > 0 && compareSchemaVersions(version, to) <= 0;
}
