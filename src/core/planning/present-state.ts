import type { ClusterFacts, StoreFacts } from '../cluster.js';
import type { DatabaseVersion } from './databases.js';
import { PreconditionError } from '../errors.js';
import { pluginOf, type RollPolicy, type Target } from '../input/input.js';
import type { StoreKind, Stores } from '../plan.js';
import { mapStores } from '../stores.js';
import { rollTargetOf } from './roll-target.js';
import type { PresentState } from './rollout-plan.js';
import { compareVersions } from '../version.js';

/**
 * What the planner needs to know of a target: the oldest version that still runs there, so that a hop that was left
 * half-done is done again, and done to its end.
 * @throws PreconditionError when no server runs
 */
export function presentState(target: Target, facts: ClusterFacts): PresentState {
  const versions = facts.nodes.flatMap(({ version }) => (version === undefined ? [] : [version]));
  const oldest = [...versions].sort(compareVersions)[0];
  if (oldest === undefined) {
    throw new PreconditionError(`no server process of ${target.name} runs; start the cluster before it is upgraded`);
  }
  return {
    version: oldest,
    stores: storesOf(target),
    databases: mapStores(facts.stores, databaseOf),
  };
}

/** The same, with how its servers are replaced. @throws PreconditionError when no server runs */
export function plannedFrom(target: Target, facts: ClusterFacts, policy: RollPolicy): PresentState {
  return { ...presentState(target, facts), roll: rollTargetOf(target, policy, facts) };
}

/** Kinds of the stores of a target, as its input says. */
export function storesOf({ stores }: Target): Stores {
  return mapStores(stores, (store) => storeKind(pluginOf(store)));
}

/** The catalogue keeps schemas by database; the two PostgreSQL plugins share theirs. */
export function storeKind(plugin: ReturnType<typeof pluginOf>): StoreKind {
  switch (plugin) {
    case 'postgres12':
    case 'postgres12_pgx':
      return 'postgres12';
    case 'cassandra':
    case 'elasticsearch':
    case 'postgres':
    case 'mysql8':
    case 'mysql':
      return plugin;
  }
}

/** `PostgreSQL 15.18` as product and version. */
function databaseOf({ product }: StoreFacts): DatabaseVersion {
  const [name = '', version = ''] = product.split(' ');
  return { product: name, version };
}
