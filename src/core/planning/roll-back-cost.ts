import type { Catalogue } from '../catalogue/catalogue.js';
import { floorBelow, type HopFacts } from './hop-findings.js';
import type { Reason, RollBackCost } from '../plan.js';
import { valuesOf } from '../stores.js';
import { minorOf } from '../version.js';

/** What a dropped index held can be built again; what a dropped table or column held is gone. */
const HOLDS_NO_DATA = /^(DROP (INDEX|EXISTING)|ALTER |MODIFY )/;

/** Whether the servers alone can go back over a hop, and what would be missing else. */
export function rollBackCost(hop: HopFacts): RollBackCost {
  const reasons = [...droppedReasons(hop), ...floorReasons(hop.catalogue, hop.from, hop.to)];
  return { by: reasons.length === 0 ? 'servers' : 'backup', reasons };
}

/** What the scripts of a hop took away. */
export function droppedReasons({ schema }: Pick<HopFacts, 'schema'>): Reason[] {
  return valuesOf(schema).flatMap(({ folder, scripts }) =>
    scripts.flatMap(({ version, description, removesOrRewrites }) => {
      const dropped = removesOrRewrites.filter((what) => !HOLDS_NO_DATA.test(what));
      if (dropped.length === 0) return [];
      return [
        {
          id: 'dropped',
          text: `schema ${version} of ${folder} (${description}): ${dropped.join(', ')}`,
          source: `schema/${folder}/versioned/v${version} of the server`,
        },
      ];
    }),
  );
}

function floorReasons(catalogue: Catalogue, from: string, to: string): Reason[] {
  const floor = floorBelow(catalogue, from, to);
  if (floor === undefined) return [];
  return [
    {
      id: 'roll-back-floor',
      text: `${from} is not known to bear what a server of ${minorOf(to)} writes; ${floor} is`,
      source: `catalogue, roll-back target of ${minorOf(from)}`,
    },
  ];
}
