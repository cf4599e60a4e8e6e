import type { Finding } from '../finding.js';
import { type Seen, valueOf } from '../survey/seen.js';
import type { ShardRows } from '../survey/store-survey.js';
import type { Check, Survey } from '../survey/survey.js';
import { soundStores, unseenFinding } from './about-store.js';

const SOURCE =
  'temporal/fx.go of the server: the number of the first start is kept in cluster_metadata_info and used whatever the configuration says';

/** History shards of the cluster as its first start stored them: the number that counts. */
export function storedShardCount({ cluster, stores }: Survey): Seen<number> {
  const records = stores.default?.cluster?.records ?? { unseen: 'nobody looked at the default store' };
  if ('unseen' in records) return records;
  if (records.seen.length === 0) return { unseen: 'no server has stored it yet: cluster_metadata_info has no row' };
  const ids = cluster.frontends.map(({ info }) => valueOf(info)?.clusterId);
  const own =
    records.seen.length === 1 ? records.seen : records.seen.filter(({ clusterId }) => ids.includes(clusterId));
  const [record, another] = own;
  if (record !== undefined && another === undefined) return { seen: record.historyShardCount };
  const names = records.seen.map(({ clusterName }) => clusterName).join(', ');
  return { unseen: `it is not known which of the stored clusters is this one (${names})` };
}

/** The table `shards` has a row for each shard from 1 to the stored number, and no other. */
export const storedShards: Check = (survey, context) =>
  soundStores(survey, context).flatMap(({ part, store, name }): Finding[] => {
    if (part !== 'default' || store.cluster === undefined || 'unseen' in store.schemaVersion) return [];
    const count = storedShardCount(survey);
    const { shards } = store.cluster;
    if ('unseen' in count || 'unseen' in shards) {
      const reason = 'unseen' in count ? count.unseen : 'unseen' in shards ? shards.unseen : '';
      return [
        unseenFinding('shard-rows-unseen', 'warn', {
          what: `the stored number of shards and the shards of ${name}`,
          reason,
          action: 'Compare cluster_metadata_info with the table shards by hand',
        }),
      ];
    }
    return [...missing(name, shards.seen, count.seen), ...extra(name, shards.seen, count.seen)];
  });

function missing(name: string, { count, highest, gaps }: ShardRows, stored: number): Finding[] {
  const above = Array.from({ length: Math.max(0, stored - highest) }, (_, index) => highest + 1 + index);
  const ids = [...gaps.filter((id) => id <= stored), ...above];
  if (ids.length === 0) return [];
  // Gaps are listed up to a few; rows that are no shard of this cluster do not make up for them.
  const total = Math.max(ids.length, stored - count);
  const listed = ids.slice(0, 10).join(', ');
  return [
    {
      id: 'shard-rows-missing',
      severity: 'block',
      found: `table shards of ${name} has no row for ${total} of ${stored} shards: ${listed}${total > 10 ? ', …' : ''}`,
      expected: `a row for each shard from 1 to ${stored}`,
      action:
        'Find out whether the database was restored in part: a shard without its row starts anew, and loses how far its tasks were done',
      source: SOURCE,
    },
  ];
}

function extra(name: string, { lowest, highest, count }: ShardRows, stored: number): Finding[] {
  if (count === 0 || (lowest >= 1 && highest <= stored)) return [];
  return [
    {
      id: 'shard-rows-extra',
      severity: 'warn',
      found: `table shards of ${name} has rows from ${lowest} to ${highest}, and the stored number of shards is ${stored}`,
      expected: `rows from 1 to ${stored}`,
      action: 'Find out who changed the stored number: workflows of other shards are out of reach',
      source: SOURCE,
    },
  ];
}
