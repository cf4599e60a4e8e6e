import type { ClusterSurvey } from '../survey/cluster-survey.js';
import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { UPGRADE_GUIDE } from '../sources.js';
import { answersOf, notDown } from './who-runs.js';
import { countOf } from '../count-of.js';
import { groupBy, listed } from './words.js';

/** The gauge is set when a pass over the shards ends: once a minute, and when the ring changes. */
const GAUGE_LAG_MS = 120_000;
/** "Allow approximately 10 minutes on each version" for History to load and rewrite its shards. */
const LOADING_MS = 600_000;

/** Each process is configured with the number of shards that the cluster was made with. */
export const checkShardCount: Check = ({ cluster }) => {
  const stored = shardCountOf(cluster);
  if (stored === undefined) return [];
  const configured = groupBy(
    cluster.processes,
    ({ configuration }) => {
      const count = 'seen' in configuration ? configuration.seen.numHistoryShards : undefined;
      return count === undefined || count === stored ? undefined : String(count);
    },
    ({ name }) => name,
  );
  return [...configured].map(([count, names]) => ({
    id: 'shard-count-configured',
    severity: 'warn',
    found: `numHistoryShards is ${count} in the configuration of ${listed(names)}, and the cluster has ${stored}`,
    expected: `${stored}: the number is fixed when a cluster is made; the server ignores another one with a warning`,
    action: `Write ${stored} into the configuration`,
    source: 'cluster_metadata by GetClusterInfo; temporal/fx.go of the server',
  }));
};

function shardCountOf(cluster: ClusterSurvey): number | undefined {
  return answersOf(cluster).find(({ historyShardCount }) => historyShardCount > 0)?.historyShardCount;
}

/** The history processes together hold every shard once, and none is on the move. */
export const checkShardsHeld: Check = ({ cluster, takenAt }) => {
  const wanted = shardCountOf(cluster);
  const histories = notDown(cluster).filter(({ role }) => role === 'history');
  const states = 'seen' in cluster.nodes ? cluster.nodes.seen : [];
  const ages = histories.flatMap(({ name }) => {
    const startedAt = states.find((state) => state.name === name)?.startedAt;
    return startedAt === undefined ? [] : [{ name, ageMs: Date.parse(takenAt) - Date.parse(startedAt) }];
  });
  const held = histories.map(({ name, metrics }) => ({
    name,
    shards: 'seen' in metrics ? metrics.seen.shards : undefined,
    moved: 'seen' in metrics ? (metrics.seen.shardsMoved ?? 0) : 0,
  }));
  // A process that the input does not name holds some too, and nobody said where its metrics are: that is said already.
  if (cluster.strangers.some(({ role }) => role === 'history'))
    return [...movingFindings(held), ...loadingFindings(ages)];
  const isMoving = held.some(({ moved }) => moved > 0) || ages.some(({ ageMs }) => ageMs < GAUGE_LAG_MS);
  return [
    ...sumFindings(held, wanted, isMoving),
    ...(isMoving ? [] : idleFindings(held)),
    ...movingFindings(held),
    ...loadingFindings(ages),
  ];
};

type Held = readonly { readonly name: string; readonly shards: number | undefined; readonly moved: number }[];

const GAUGE = 'numshards_gauge of every history process';

function sumFindings(held: Held, wanted: number | undefined, isMoving: boolean): Finding[] {
  if (held.length === 0) return [];
  const unknown = held.filter(({ shards }) => shards === undefined).map(({ name }) => name);
  if (wanted === undefined || unknown.length > 0) {
    const why =
      wanted === undefined
        ? 'no frontend says how many there are'
        : `${listed(unknown)} ${unknown.length === 1 ? 'does' : 'do'} not say`;
    return [
      {
        id: 'shards-unseen',
        severity: 'warn',
        found: `whether every shard is held is not known: ${why}`,
        expected: 'the number of shards that each history process holds',
        action: 'Let this worker read the metrics of every history process',
        source: GAUGE,
      },
    ];
  }
  const sum = held.reduce((total, { shards }) => total + (shards ?? 0), 0);
  if (sum === wanted) return [];
  const found = `the history processes hold ${sum} of ${countOf(wanted, 'shard')}: ${listed(held.map(({ name, shards }) => `${name} ${shards}`))}`;
  if (isMoving)
    return [{ id: 'shards-settling', severity: 'note', found: `${found}; shards still move`, source: GAUGE }];
  return [
    {
      id: sum < wanted ? 'shards-not-held' : 'shards-held-twice',
      severity: 'warn',
      found,
      expected: `${wanted} together`,
      action:
        sum < wanted
          ? 'See the logs of the history processes; workflows of a shard that nobody holds stand still'
          : 'Look again in two minutes; if it stays so, history processes steal shards from each other: compare their rings',
      source: GAUGE,
    },
  ];
}

/** The ring deals shards out by hashes of addresses, so that of a few shards a process may get none, for as long as it has its address. */
function idleFindings(held: Held): Finding[] {
  const idle = held.filter(({ shards }) => shards === 0).map(({ name }) => name);
  if (idle.length === 0) return [];
  return [
    {
      id: 'history-without-shard',
      severity: 'warn',
      found: `${listed(idle)} ${idle.length === 1 ? 'holds' : 'hold'} no shard`,
      expected: 'at least one: from 1.28 on a history process is SERVING only once it has taken a shard',
      action:
        'Give it another port or address, by which the ring gives it other shards, or run fewer history processes',
      source: `${GAUGE}; acquireShards in service/history/shard/controller_impl.go of the server`,
    },
  ];
}

function movingFindings(held: Held): Finding[] {
  const moving = held.filter(({ moved }) => moved > 0);
  if (moving.length === 0) return [];
  return [
    {
      id: 'shards-moving',
      severity: 'note',
      found: `shards move right now: ${listed(moving.map(({ name, moved }) => `${name} took or gave up ${moved}`))}`,
      action: 'Look again in a minute; calls to a shard on the move are slower',
      source: 'sharditem_created_count and sharditem_removed_count',
    },
  ];
}

function loadingFindings(ages: readonly { readonly name: string; readonly ageMs: number }[]): Finding[] {
  const young = ages.filter(({ ageMs }) => ageMs < LOADING_MS);
  if (young.length === 0) return [];
  const each = young.map(({ name, ageMs }) => `${name} began ${Math.max(0, Math.round(ageMs / 60_000))} min ago`);
  return [
    {
      id: 'history-young',
      severity: 'note',
      found: `${listed(each)}: History may still load and rewrite its shards`,
      action: 'Allow about ten minutes',
      source: UPGRADE_GUIDE,
    },
  ];
}
