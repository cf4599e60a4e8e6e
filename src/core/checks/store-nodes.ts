import type { Finding } from '../finding.js';
import type { StoreNode } from '../survey/store-survey.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { type ReachedStore, reachedStores, stopsHop, unseenFinding } from './about-store.js';

const SOURCE =
  'Cassandra documentation, Adding, replacing, moving and removing nodes; system.local and system.peers of the database';

/** A database of several nodes has all of them up, of one version, and of one mind about its tables. */
export const storeNodes: Check = (survey, context) =>
  reachedStores(survey, context).flatMap((reached): Finding[] => {
    const { nodes } = reached.store;
    if (nodes === undefined) return [];
    if ('unseen' in nodes) {
      return [
        unseenFinding('store-nodes-unseen', stopsHop(context), {
          what: `the nodes of ${reached.name}`,
          reason: nodes.unseen,
          action: 'See by nodetool status that all are up',
        }),
      ];
    }
    return [
      ...down(reached, nodes.seen, context),
      ...disagreeing(reached, nodes.seen, context),
      ...mixed(reached, nodes.seen),
    ];
  });

/** A change of tables has to reach every node, and a snapshot is of all of them. */
function down({ name }: ReachedStore, nodes: readonly StoreNode[], context: CheckContext): Finding[] {
  const away = nodes.filter(({ up }) => !up).map(({ address }) => address);
  if (away.length === 0) return [];
  return [
    {
      id: 'store-node-down',
      severity: stopsHop(context),
      found: `${away.length} of ${nodes.length} nodes of ${name} are down: ${away.join(', ')}`,
      expected: 'all nodes up: a node that misses a change of tables, or a snapshot, is one that is lost with the next',
      action: 'Bring it back, or take it out of the cluster (nodetool removenode)',
      source: SOURCE,
    },
  ];
}

function disagreeing({ name }: ReachedStore, nodes: readonly StoreNode[], context: CheckContext): Finding[] {
  const bySchema = Map.groupBy(
    nodes.filter(({ up }) => up),
    ({ schema }) => schema,
  );
  if (bySchema.size < 2) return [];
  const groups = [...bySchema].map(([schema, same]) => `${schema} on ${same.map(({ address }) => address).join(', ')}`);
  return [
    {
      id: 'store-schema-disagreement',
      severity: stopsHop(context),
      found: `the nodes of ${name} do not agree on its tables: ${groups.join('; ')}`,
      expected: 'one schema on all nodes',
      action: 'Wait; where it stays so, nodetool describecluster names them, and nodetool resetlocalschema mends one',
      source: SOURCE,
    },
  ];
}

function mixed({ name }: ReachedStore, nodes: readonly StoreNode[]): Finding[] {
  const versions = [...new Set(nodes.map(({ version }) => version))];
  if (versions.length < 2) return [];
  return [
    {
      id: 'store-nodes-mixed',
      severity: 'warn',
      found: `the nodes of ${name} run ${versions.join(' and ')}`,
      expected: 'one version: tables are not to be changed while the database itself is upgraded',
      action: 'End the upgrade of the database first',
      source: SOURCE,
    },
  ];
}
