import { type Catalogue, isRetracted, minorFacts, newestPatch } from '../catalogue/catalogue.js';
import { avoidRules } from './choose-version.js';
import { type Finding, worstFirst } from '../finding.js';
import { kindsOf } from './moves.js';
import type { Hop, Stores } from '../plan.js';
import { isIn } from '../catalogue/rule-parts.js';
import { isAbout, type SettingRule } from '../catalogue/rules.js';
import { ofPart, partsIn, valuesOf } from '../stores.js';
import { UPGRADE_GUIDE } from '../sources.js';
import { compareSchemaVersions, compareVersions, minorOf } from '../version.js';

/** A hop before its findings are known. */
export interface HopFacts extends Pick<Hop, 'from' | 'to' | 'schema'> {
  readonly catalogue: Catalogue;
  /** After what was moved before the hop. */
  readonly stores: Stores;
}

/** What the catalogue has to say about a hop forward, worst first. */
export function hopFindings(hop: HopFacts): Finding[] {
  return worstFirst([
    ...retracted(hop),
    ...toAvoid(hop),
    ...rollBackFloor(hop),
    ...schemaScripts(hop),
    ...schemaRemovals(hop),
    ...settings(hop),
    ...patchBehind(hop),
    ...noSchemaChange(hop),
    ...notes(hop),
  ]);
}

/** A patch that its makers withdrew is never gone to. */
export function retracted({ catalogue, to }: Pick<HopFacts, 'catalogue' | 'to'>): Finding[] {
  if (!isRetracted(catalogue, to)) return [];
  const facts = minorFacts(catalogue, to);
  const newest = facts && newestPatch(facts);
  return [
    {
      id: 'patch-retracted',
      severity: 'block',
      found: `${to} was retracted by its makers`,
      expected: 'a version that was not',
      action: newest === undefined ? 'Leave it out' : `Take ${newest} instead`,
      source: `catalogue, retracted patches of ${minorOf(to)}`,
    },
  ];
}

/** What speaks against stopping at the patch of a hop. */
export function toAvoid({ catalogue, to, stores }: Pick<HopFacts, 'catalogue' | 'to' | 'stores'>): Finding[] {
  if (isRetracted(catalogue, to)) return [];
  const rules = avoidRules(catalogue, to, kindsOf(stores));
  const found = rules.map(({ why, instead, source }): Finding => ({
    id: 'patch-to-avoid',
    severity: 'warn',
    found: `${to}: ${why}`,
    expected: `${instead} or later`,
    action: `Take ${instead} or a later patch of ${minorOf(instead)} instead`,
    source,
  }));
  const entry = minorFacts(catalogue, to)?.enterAtPatch;
  if (found.length > 0 || entry === undefined || compareVersions(to, entry) >= 0) return found;
  return [
    {
      id: 'patch-to-avoid',
      severity: 'warn',
      found: `${to} has a known defect`,
      expected: `${entry}, the lowest patch of ${minorOf(to)} without one, or later`,
      action: `Take ${entry} or later instead`,
      source: `catalogue, patch to enter ${minorOf(to)} at`,
    },
  ];
}

/** Lowest patch of the minor of `from` that bears what `to` writes, when `from` lies below it. */
export function floorBelow(catalogue: Catalogue, from: string, to: string): string | undefined {
  const facts = minorFacts(catalogue, from);
  const floor = facts?.rollbackTargetMinPatch ?? undefined;
  if (facts === undefined || floor === undefined || facts.minor === minorOf(to)) return undefined;
  return compareVersions(from, floor) < 0 ? floor : undefined;
}

function rollBackFloor({ catalogue, from, to }: HopFacts): Finding[] {
  const floor = floorBelow(catalogue, from, to);
  if (floor === undefined) return [];
  return [
    {
      id: 'rollback-floor',
      severity: 'warn',
      found: `a roll-back from ${to} would end at ${from}`,
      expected: `${floor} or later, the lowest patch of ${minorOf(from)} known to bear what a server of ${minorOf(to)} writes`,
      action: `Pass through ${floor} or later first: leave out the pin that keeps it at ${from}`,
      source: `catalogue, roll-back target of ${minorOf(from)}`,
    },
  ];
}

function schemaScripts({ catalogue, to, schema }: HopFacts): Finding[] {
  return valuesOf(schema).flatMap((step) =>
    catalogue.rules.schemaScripts
      .filter(({ store, schemaVersions: { from, to: last }, serverVersions }) => {
        const runs = compareSchemaVersions(last, step.from) > 0 && compareSchemaVersions(from, step.to) <= 0;
        const shipped = compareVersions(to, serverVersions.from) >= 0 && compareVersions(to, serverVersions.to) <= 0;
        return store === step.folder && runs && shipped;
      })
      .map(({ schemaVersions: { from, to: last }, effect, betterFrom, source }): Finding => {
        const found = `schema ${from === last ? last : `${from} to ${last}`} of ${step.folder}, as ${to} has it: ${effect}`;
        if (betterFrom === undefined) return { id: 'schema-script-cost', severity: 'note', found, source };
        return {
          id: 'schema-script-costly',
          severity: 'warn',
          found,
          expected: `the scripts of ${betterFrom} or later, which were changed under the same number`,
          action: `Take ${betterFrom} or later instead`,
          source,
        };
      }),
  );
}

function schemaRemovals({ from, schema }: HopFacts): Finding[] {
  return valuesOf(schema).flatMap(({ folder, scripts }) =>
    scripts
      .filter(({ removesOrRewrites }) => removesOrRewrites.length > 0)
      .map(({ version, description, removesOrRewrites }) => ({
        id: 'schema-removes',
        severity: 'note' as const,
        found:
          `schema ${version} of ${folder} (${description}) removes or rewrites: ${removesOrRewrites.join(', ')}. ` +
          `A server of ${from} that is put back does not find what was removed`,
        source: `schema/${folder}/versioned/v${version} of the server`,
      })),
  );
}

/** Settings that come, go or change on this hop, and those to be changed before a later one. */
function settings({ catalogue, from, to, stores }: HopFacts): Finding[] {
  return catalogue.rules.settings.flatMap((rule): Finding[] => {
    const { since, noticeFrom = since, stores: only, source } = rule;
    const enters = compareVersions(from, noticeFrom) < 0 && compareVersions(to, noticeFrom) >= 0;
    const passes = noticeFrom !== since && compareVersions(from, since) < 0 && compareVersions(to, since) >= 0;
    if ((!enters && !passes) || !isAbout(only, kindsOf(stores))) return [];
    return [{ id: `setting-${rule.change}`, ...settingText(rule), source }];
  });
}

/** What the server's own configuration must not hold any more stops it; the rest is worth knowing. */
function settingText({ key, where, change, since, replacement, fact, action }: SettingRule) {
  const what = {
    static: 'configuration',
    dynamic: 'dynamic configuration',
    tool: 'tools',
    image: 'images',
    metric: 'metrics',
  };
  const into = replacement === undefined ? '' : ` to ${replacement}`;
  const found = `${what[where]}: ${key} ${change}${into} in ${since}: ${fact}`;
  const todo = action === undefined ? {} : { action: action.charAt(0).toUpperCase() + action.slice(1) };
  if (where !== 'static' || change !== 'renamed') return { severity: 'note' as const, found, ...todo };
  const expected = `a configuration without ${key} before the servers run ${since}`;
  return { severity: 'warn' as const, found, expected, action: `Use ${replacement}`, ...todo };
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
      found: `${from} is not the newest patch of ${minorOf(from)}`,
      action: `To go there first, pin {"${minorOf(from)}": "${newest}"}`,
      source: UPGRADE_GUIDE,
    },
  ];
}

function noSchemaChange({ from, to, schema }: HopFacts): Finding[] {
  if (valuesOf(schema).some((step) => step.from !== step.to)) return [];
  const numbers = partsIn(schema).map((part) => `${part} ${ofPart(schema, part).to}`);
  return [
    {
      id: 'no-schema-change',
      severity: 'note',
      found: `no store changes between ${from} and ${to}: ${numbers.join(', ')}`,
      source: `catalogue, schema of ${minorOf(to)}`,
    },
  ];
}

function notes({ catalogue, from, to, stores }: HopFacts): Finding[] {
  return catalogue.rules.notes
    .filter(({ servers, stores: only }) => isIn(to, servers) && !isIn(from, servers) && isAbout(only, kindsOf(stores)))
    .map(({ fact, source }) => ({ id: 'release-note', severity: 'note', found: fact, source }));
}
