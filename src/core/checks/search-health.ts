import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { reachedStores, stopsHop, unseenFinding } from './about-store.js';

const SOURCE = 'Elasticsearch documentation, Cluster health API; OpenSearch has the same';

/** The index has all its documents. That copies are missing is said, where there are nodes that could hold them. */
export const searchHealth: Check = (survey, context) =>
  reachedStores(survey, context).flatMap(({ store: { search }, name }): Finding[] => {
    if (search === undefined) return [];
    if ('unseen' in search) {
      return [
        unseenFinding('search-health-unseen', stopsHop(context), {
          what: `the health of ${name}`,
          reason: search.unseen,
          action: 'See by GET /_cluster/health that it is green, or yellow',
        }),
      ];
    }
    const { status, dataNodes, unassignedShards } = search.seen;
    const found = `${name} is ${status}: ${unassignedShards} ${unassignedShards === 1 ? 'shard is' : 'shards are'} on no node, of ${dataNodes}`;
    const action = 'See by GET /_cluster/allocation/explain why, and bring its nodes back';
    if (status === 'red') {
      const expected =
        'all documents there: an index that is red loses what servers write, and its mapping cannot be changed';
      return [{ id: 'search-red', severity: stopsHop(context), found, expected, action, source: SOURCE }];
    }
    if (status === 'green' || dataNodes < 2) return [];
    const expected = 'green: what is on a node that goes now is lost';
    return [{ id: 'search-yellow', severity: 'warn', found, expected, action, source: SOURCE }];
  });
