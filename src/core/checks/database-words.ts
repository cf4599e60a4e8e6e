import { quoteForCassandra } from '../schema/cassandra-dialect.js';
import { quoteForMysql } from '../schema/schema-dialect.js';
import { quoteName } from '../schema/shape-statements.js';
import { valueOf } from '../survey/seen.js';
import type { StoreRights, StoreSurvey } from '../survey/store-survey.js';

/** What a user lacks to carry out scripts. */
export interface LackingRights {
  /** Tables that it may not alter. */
  readonly altered: StoreRights['tables'];
  readonly needsCreate: boolean;
  /** Tables of the schema tool that it may not write. */
  readonly unwritable: StoreRights['tables'];
}

/** What checks say of a database product: where a rule stands, and the statements that help. */
export interface DatabaseWords {
  readonly rights: {
    readonly source: string;
    readonly expected: string;
    /** What it cannot do with tables, such as `does not own tasks (owner "temporal")`. */
    cannotAlter(tables: StoreRights['tables']): string;
    grantChanges(rights: StoreRights, lacking: LackingRights): string[];
    grantReading(rights: StoreRights, names: readonly string[]): string[];
    /** Whether a table belongs to whoever made it, so that others cannot read it. */
    readonly tablesHaveOwners: boolean;
  };
  readonly standbySource: string;
  readonly readOnly: { readonly setting: string; readonly action: string; readonly source: string };
  readonly blockers: { readonly source: string; readonly look: string; readonly seeAll: string };
  readonly connectionsSource: string;
  readonly dumpSource: string;
  readonly rewriteSource: string;
}

const POSTGRES: DatabaseWords = {
  rights: {
    source:
      'PostgreSQL documentation, ALTER TABLE, CREATE INDEX and GRANT: the owner alone alters a table, and new tables and indexes take CREATE on the schema',
    expected: 'the owner of the tables, who may create in their schema',
    cannotAlter: (tables) =>
      `does not own ${namesOf(tables)} (owner ${unique(tables.map(({ owner }) => `"${owner}"`)).join(', ')})`,
    grantChanges: ({ user, schema }, { altered, needsCreate, unwritable }) => [
      ...unique(altered.map(({ owner }) => `GRANT ${quoteName(owner)} TO ${quoteName(user)};`)),
      ...(needsCreate ? [`GRANT CREATE ON SCHEMA ${quoteName(schema)} TO ${quoteName(user)};`] : []),
      ...unwritable.map(({ table }) => `GRANT INSERT, UPDATE ON ${quoteName(table)} TO ${quoteName(user)};`),
    ],
    grantReading: ({ user }, names) => names.map((one) => `GRANT SELECT ON ${quoteName(one)} TO ${quoteName(user)};`),
    tablesHaveOwners: true,
  },
  standbySource: 'PostgreSQL documentation, Hot Standby',
  readOnly: {
    setting: 'default_transaction_read_only is on',
    action:
      'Find out who set it and why (on the database, on the user, or for all), and take it back: ALTER DATABASE … RESET default_transaction_read_only;',
    source: 'PostgreSQL documentation, default_transaction_read_only',
  },
  blockers: {
    source:
      'PostgreSQL documentation, Explicit Locking and CREATE INDEX CONCURRENTLY: a change of a table waits for every lock on it, and a concurrent build for every older transaction',
    look: 'Look by hand into pg_stat_activity and pg_locks',
    seeAll: 'GRANT pg_read_all_stats to this user, or look with another one',
  },
  connectionsSource:
    'PostgreSQL documentation, Connections and Authentication: max_connections and what is reserved of it',
  dumpSource: 'PostgreSQL documentation, pg_dump, Notes: it cannot dump a server newer than itself',
  rewriteSource:
    'PostgreSQL documentation, ALTER TABLE, Notes: a rewrite may take as much disk space as the table and its indexes once more',
};

const MYSQL: DatabaseWords = {
  rights: {
    source:
      'MySQL manual, ALTER TABLE and CREATE TABLE: they take ALTER, CREATE, INSERT, and DROP and INDEX for their parts',
    expected: 'a user that may alter, create and drop the tables of its database',
    cannotAlter: (tables) => `may not alter ${namesOf(tables)}`,
    grantChanges: ({ user, schema }) => [
      `GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, CREATE, DROP, INDEX ON ${quoteForMysql(schema)}.* TO ${account(user)};`,
    ],
    grantReading: ({ user, schema }) => [`GRANT SELECT ON ${quoteForMysql(schema)}.* TO ${account(user)};`],
    tablesHaveOwners: false,
  },
  standbySource: 'MySQL manual, Replication: a replica with read_only takes changes from its source alone',
  readOnly: {
    setting: 'read_only is on',
    action: 'Find out who set it and why: a failover may be under way; then SET GLOBAL read_only = OFF;',
    source: 'MySQL manual, read_only',
  },
  blockers: {
    source:
      'MySQL manual, Metadata Locking: a change of a table waits for every transaction that has touched it, and everybody else behind it',
    look: 'Look by hand into information_schema.innodb_trx; seeing it takes the right PROCESS',
    seeAll: 'GRANT PROCESS to this user, or look with another one',
  },
  connectionsSource: 'MySQL manual, max_connections and max_user_connections',
  dumpSource: 'MySQL manual, mysqldump',
  rewriteSource:
    'MySQL manual, Online DDL Space Requirements: a table that is rebuilt takes as much disk space once more',
};

const CASSANDRA: DatabaseWords = {
  rights: {
    source: 'Cassandra documentation, GRANT PERMISSION',
    expected: 'a user that may create, alter and drop the tables of its keyspace',
    cannotAlter: (tables) => `may not alter ${namesOf(tables)}`,
    grantChanges: ({ user, schema }) => [
      `GRANT ALL PERMISSIONS ON KEYSPACE ${quoteForCassandra(schema)} TO ${quoteForCassandra(user)};`,
    ],
    grantReading: ({ user, schema }) => [
      `GRANT SELECT ON KEYSPACE ${quoteForCassandra(schema)} TO ${quoteForCassandra(user)};`,
    ],
    tablesHaveOwners: false,
  },
  standbySource: 'Cassandra documentation: every node takes writes',
  readOnly: { setting: 'writes are refused', action: 'Find out who set it and why', source: 'Cassandra documentation' },
  blockers: {
    source: 'Cassandra documentation: a change of a table waits for no reader',
    look: 'Look by hand by nodetool',
    seeAll: 'Look with another user',
  },
  connectionsSource: 'Cassandra documentation, native_transport_max_concurrent_connections',
  dumpSource: 'Cassandra documentation, nodetool snapshot',
  rewriteSource: 'Cassandra documentation, ALTER TABLE',
};

const SEARCH: DatabaseWords = {
  rights: {
    source:
      'Elasticsearch documentation, Security privileges: a mapping takes manage on the index, a template manage_index_templates',
    expected: 'a user that may change the mapping of the index, and its template',
    cannotAlter: (tables) => `may not change the mapping of ${namesOf(tables)}`,
    grantChanges: ({ user, schema }) => [
      `# give a role of ${user} the privileges manage, read and write on ${schema}, and manage_index_templates`,
    ],
    grantReading: ({ user, schema }) => [`# give a role of ${user} the privilege read on ${schema}`],
    tablesHaveOwners: false,
  },
  standbySource: 'Elasticsearch documentation, Cross-cluster replication: a follower index takes no writes',
  readOnly: {
    setting: 'index.blocks is set',
    action:
      'Find out why: the search server sets it by itself when a disk is too full. Then PUT /<index>/_settings {"index.blocks.read_only_allow_delete": null, "index.blocks.write": null}',
    source: 'Elasticsearch documentation, Index blocks, and flood stage watermark',
  },
  blockers: {
    source: 'Elasticsearch documentation: a change of a mapping waits for no search',
    look: 'Look by hand by GET /_tasks',
    seeAll: 'Look with another user',
  },
  connectionsSource: 'Elasticsearch documentation, HTTP',
  dumpSource: 'Elasticsearch documentation, Scroll API',
  rewriteSource: 'Elasticsearch documentation, Update mapping API: documents are not written anew',
};

const WORDS: Readonly<Record<string, DatabaseWords>> = {
  MySQL: MYSQL,
  MariaDB: MYSQL,
  Cassandra: CASSANDRA,
  Elasticsearch: SEARCH,
  OpenSearch: SEARCH,
};

/** The words for the database of a store that was reached. */
export function wordsFor({ database }: Pick<StoreSurvey, 'database'>): DatabaseWords {
  return WORDS[valueOf(database)?.product ?? ''] ?? POSTGRES;
}

/** `temporal@%` as a statement takes it. */
function account(user: string): string {
  const at = user.lastIndexOf('@');
  const quoted = (part: string) => `'${part.replaceAll("'", "''")}'`;
  return at < 0 ? quoted(user) : `${quoted(user.slice(0, at))}@${quoted(user.slice(at + 1))}`;
}

function namesOf(tables: StoreRights['tables']): string {
  return tables.map(({ table }) => table).join(', ');
}

function unique(all: readonly string[]): string[] {
  return [...new Set(all)];
}
