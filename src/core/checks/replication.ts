import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { answersOf } from './who-runs.js';
import { fewOf, listed } from './words.js';

const SOURCE = 'ListClusters and ListNamespaces; temporalio/documentation pull request #5347';

/** Clusters that replicate to each other are upgraded in an order: the passive side first. */
export const checkReplication: Check = ({ cluster }, { hop }) => {
  const { knownClusters, namespaces } = cluster;
  const own = new Set(answersOf(cluster).map(({ clusterId }) => clusterId));
  const others = ('seen' in knownClusters ? knownClusters.seen : []).filter(
    ({ clusterId, connected }) => connected && !own.has(clusterId),
  );
  const replicated = ('seen' in namespaces ? namespaces.seen.looked : []).filter(({ clusters }) => clusters.length > 1);
  const unseen: Finding[] =
    'unseen' in knownClusters && replicated.length === 0
      ? [
          {
            id: 'replication-unseen',
            severity: hop === undefined ? 'note' : 'warn',
            found: `whether this cluster replicates with others is not known: ${knownClusters.unseen}`,
            expected: 'the clusters that it knows of',
            action: 'Ask whoever runs it; with replication the passive cluster comes first',
            source: SOURCE,
          },
        ]
      : [];
  if (others.length === 0 && replicated.length === 0) return unseen;
  const found = [
    ...(others.length === 0
      ? []
      : [`it is connected to ${listed(others.map(({ name, address }) => `${name} at ${address}`))}`]),
    ...(replicated.length === 0 ? [] : [`replicated namespaces: ${fewOf(replicated.map(({ name }) => name))}`]),
  ];
  return [
    {
      id: 'replication-present',
      severity: hop === undefined ? 'note' : 'warn',
      found: `this cluster replicates with others: ${found.join('; ')}`,
      expected: 'a cluster on its own, or the passive side of its namespaces',
      action: 'Upgrade passive clusters first, and never the active side before them',
      source: SOURCE,
    },
  ];
};
