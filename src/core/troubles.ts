/**
 * The troubles that guides for upgrades warn of, each with the findings that would cause it. A pattern of ids may end with
 * `*`.
 */
export type Trouble =
  'schema-migration-fails' | 'processes-do-not-start' | 'workflows-hang' | 'slower' | 'visibility-fails';

export interface KnownCause {
  readonly cause: string;
  readonly ids: readonly string[];
  /** Only findings whose words match: of one store and not the other. */
  readonly about?: RegExp;
}

interface KnownTrouble {
  readonly trouble: Trouble;
  readonly symptom: string;
  /** Likeliest first: what leaves no other explanation before what may only add to it. */
  readonly causes: readonly KnownCause[];
  /** Ids of findings that say what was not seen of it. */
  readonly hiddenBy: readonly string[];
}

const VISIBILITY = /visibility/i;
const SHAPE = ['schema-table-*', 'schema-column-*', 'schema-index-*', 'schema-primary-key'];

export const TROUBLES: readonly KnownTrouble[] = [
  {
    trouble: 'schema-migration-fails',
    symptom: 'the schema migration fails',
    causes: [
      { cause: 'the user of the database may not change the tables', ids: ['rights-*', 'database-read-only'] },
      { cause: 'the database is not the one that takes writes', ids: ['database-standby'] },
      { cause: 'both stores share one database, and one version table', ids: ['shared-database'] },
      { cause: 'an earlier migration ended half-way', ids: ['schema-midway'] },
      { cause: 'the tables are not what the scripts expect', ids: [...SHAPE] },
      { cause: 'the database lacks what a script uses', ids: ['script-need-missing', 'database-not-accepted'] },
      { cause: 'something holds locks on the tables', ids: ['lock-in-the-way', 'long-transaction'] },
      { cause: 'there is no room for the tables that are rewritten', ids: ['rewrite-space-missing'] },
      { cause: 'the schema is past what the tool leads to', ids: ['schema-ahead'] },
      { cause: 'there is no connection left for the schema tool', ids: ['connections-*'] },
      { cause: 'the database cannot be reached', ids: ['store-unreachable', 'store-unseen'] },
      { cause: 'the schema tool is not there', ids: ['tool-missing'], about: /tool/ },
    ],
    hiddenBy: [
      'rights-unseen',
      'schema-shape-unseen',
      'schema-version-unseen',
      'store-tables-unseen',
      'blockers-unseen',
      'write-mode-unseen',
      'scripts-unseen',
      'rewrite-space-unseen',
    ],
  },
  {
    trouble: 'processes-do-not-start',
    symptom: 'processes (pods) do not start, or start again and again',
    causes: [
      { cause: 'the schema is behind the version', ids: ['start-error-schema-behind', 'schema-behind'] },
      { cause: 'the schema version cannot be read', ids: ['start-error-schema-unreadable', 'schema-version-unseen'] },
      { cause: 'the database refuses the user', ids: ['start-error-database-rights', 'rights-missing'] },
      {
        cause: 'the database is not reached, or has no connection left',
        ids: ['start-error-database-unreachable', 'store-unreachable', 'connections-exhausted'],
      },
      {
        cause: 'the version does not know the plugin of the configuration',
        ids: ['start-error-plugin', 'store-plugin-configured'],
      },
      { cause: 'the configuration cannot be used', ids: ['start-error-configuration'] },
      { cause: 'an older process still has the port', ids: ['start-error-port-taken'] },
      { cause: 'a supervisor starts another version', ids: ['supervisor-found'] },
      { cause: 'they run and do not become ready', ids: ['not-serving'] },
      { cause: 'they are down, and their logs do not say why', ids: ['process-down'] },
    ],
    hiddenBy: ['processes-unseen', 'configuration-unseen', 'supervisor-unseen', 'health-unseen'],
  },
  {
    trouble: 'workflows-hang',
    symptom: 'workflows hang after the upgrade',
    causes: [
      { cause: 'nobody polls a task queue in which tasks wait', ids: ['task-queue-without-poller'] },
      { cause: 'shards are held by nobody', ids: ['shards-not-held', 'shard-rows-missing'] },
      { cause: 'history processes steal shards from each other', ids: ['shards-held-twice'] },
      { cause: 'a history process does not serve', ids: ['not-serving', 'process-down'], about: /\(history\)/ },
      { cause: 'a matching process does not serve', ids: ['not-serving', 'process-down'], about: /\(matching\)/ },
      { cause: 'a process is missing in its ring', ids: ['ring-missing'] },
      { cause: 'frontends see different members', ids: ['rings-differ'] },
      { cause: 'calls go to members that are gone', ids: ['ring-zombie', 'membership-zombie'] },
      {
        cause: 'the databases fail',
        ids: ['persistence-errors', 'store-unreachable', 'connections-exhausted', 'pool-exhausted'],
      },
      { cause: 'versions too far apart run side by side', ids: ['versions-mixed'] },
      { cause: 'shards still move: give it minutes', ids: ['shards-settling', 'shards-moving', 'history-young'] },
    ],
    hiddenBy: [
      'task-queues-unseen',
      'namespaces-unseen',
      'visibility-query-failed',
      'shards-unseen',
      'metrics-unseen',
      'rings-unseen',
      'health-unseen',
      'processes-unseen',
    ],
  },
  {
    trouble: 'slower',
    symptom: 'the cluster is slower than before',
    causes: [
      { cause: 'pools of connections are used up', ids: ['pool-exhausted', 'connections-exhausted'] },
      { cause: 'the database is slow', ids: ['persistence-slow'] },
      { cause: 'indexes are missing or were not built to the end', ids: ['schema-index-*'] },
      { cause: 'the database fails at times', ids: ['persistence-errors'] },
      { cause: 'history processes steal shards from each other', ids: ['shards-held-twice'] },
      { cause: 'calls go to members that are gone', ids: ['ring-zombie', 'membership-zombie', 'rings-differ'] },
      { cause: 'a transaction stays open and keeps tables from being cleaned', ids: ['long-transaction'] },
      { cause: 'a hop was left half-done', ids: ['hop-half-done'] },
      { cause: 'shards still move: give it minutes', ids: ['shards-settling', 'shards-moving', 'history-young'] },
    ],
    hiddenBy: ['metrics-unseen', 'connections-unseen', 'schema-shape-unseen', 'blockers-unseen', 'shards-unseen'],
  },
  {
    trouble: 'visibility-fails',
    symptom: 'queries of visibility fail, or find too little',
    causes: [
      {
        cause: 'the visibility schema is behind the version',
        ids: ['schema-behind', 'schema-midway'],
        about: VISIBILITY,
      },
      { cause: 'the tables of visibility are not what the version expects', ids: [...SHAPE], about: VISIBILITY },
      {
        cause: 'the visibility store is another than the configuration says',
        ids: ['store-plugin-*', 'store-database-*'],
        about: VISIBILITY,
      },
      {
        cause: 'the visibility database is not reached',
        ids: ['store-unreachable', 'store-unseen'],
        about: VISIBILITY,
      },
      { cause: 'the frontend cannot ask visibility', ids: ['visibility-query-failed'] },
      { cause: 'writes or reads of visibility fail', ids: ['visibility-errors'] },
      { cause: 'the second visibility store was not brought along', ids: ['secondary-visibility-unnamed'] },
      { cause: 'visibility is slow', ids: ['visibility-slow'] },
      {
        cause: 'a setting that the version does not read any more is relied on',
        ids: ['setting-unknown-set'],
        about: VISIBILITY,
      },
    ],
    hiddenBy: ['namespaces-unseen', 'schema-shape-unseen', 'schema-version-unseen', 'metrics-unseen'],
  },
];
