import { type Catalogue, type MinorFacts, isRetracted } from '../catalogue/catalogue.js';
import type { Reason, StoreKind } from '../plan.js';
import { isIn } from '../catalogue/rule-parts.js';
import { isAbout, type AvoidRule } from '../catalogue/rules.js';
import { minorOf } from '../version.js';

/** A version to pass through, and why it is the one. */
export interface Choice {
  readonly version: string;
  readonly reasons: readonly Reason[];
}

/** Rules that speak against stopping at a version with these kinds of store. */
export function avoidRules(catalogue: Catalogue, version: string, kinds: readonly StoreKind[]): AvoidRule[] {
  return catalogue.rules.avoid.filter(({ servers, stores }) => isIn(version, servers) && isAbout(stores, kinds));
}

/**
 * The patch of a minor to pass through: the newest that was not retracted and that nothing speaks against, else the newest
 * that was not retracted. Undefined when all were retracted.
 */
export function choosePatch(catalogue: Catalogue, facts: MinorFacts, kinds: readonly StoreKind[]): Choice | undefined {
  const usable = facts.patches.filter((patch) => !isRetracted(catalogue, patch));
  const version = usable.findLast((patch) => avoidRules(catalogue, patch, kinds).length === 0) ?? usable.at(-1);
  if (version === undefined) return undefined;
  return { version, reasons: [patchReason(facts, version), ...passedOver(catalogue, facts, kinds)] };
}

function patchReason({ minor, patches }: MinorFacts, version: string): Reason {
  const newest = version === patches.at(-1);
  return {
    id: 'newest-patch',
    text:
      patches.length === 1
        ? `${version} is the only patch of ${minor}`
        : `${version} is the ${newest ? 'newest' : 'newest usable'} of ${patches.length} patches of ${minor}`,
    source: `catalogue, patches of ${minor}`,
  };
}

/** Why other patches of the minor would have been worse. */
function passedOver(catalogue: Catalogue, { minor, patches }: MinorFacts, kinds: readonly StoreKind[]): Reason[] {
  const retracted = patches.filter((patch) => isRetracted(catalogue, patch));
  const reasons: Reason[] =
    retracted.length === 0
      ? []
      : [
          {
            id: 'passed-over',
            text: `not ${retracted.join(', ')}: retracted by ${retracted.length === 1 ? 'its' : 'their'} makers`,
            source: `catalogue, retracted patches of ${minor}`,
          },
        ];
  for (const rule of catalogue.rules.avoid) {
    const hit = patches.filter((patch) => isIn(patch, rule.servers) && isAbout(rule.stores, kinds));
    if (hit.length === 0) continue;
    reasons.push({ id: 'passed-over', text: `not ${hit.join(', ')}: ${rule.why}`, source: rule.source });
  }
  return reasons;
}

/** Why a minor comes after another one. */
export function sequenceReason(catalogue: Catalogue, from: string, to: string, source: string): Reason {
  const [present, next] = [minorOf(from), minorOf(to)];
  if (present === next) return { id: 'sequence', text: `a patch of the same minor, ${present}`, source };
  const minors = catalogue.minors.map(({ minor }) => minor);
  const between = Number(next.split('.')[1]) - Number(present.split('.')[1]);
  const follows = minors.indexOf(next) - minors.indexOf(present) === 1 && between === 1;
  return {
    id: 'sequence',
    text: follows
      ? `one minor at a time: ${next} follows ${present}`
      : `the closest available next minor after ${present} is ${next}`,
    source,
  };
}
