import { z } from 'zod';
import { ApprovalPolicy } from './approval.js';
import { Bounds, BoundsOverride } from './bounds.js';
import { Duration } from '../duration.js';
import { InvalidRolloutError } from '../errors.js';
import {
  anyShape,
  reportBatchProblems,
  reportLoadProblems,
  reportPinProblems,
  reportSameCluster,
  reportSameStore,
} from './input-checks.js';
import { problemsOf } from './input-problems.js';
import { SETTLE_MINUTES, SETTLE_STEADY_MINUTES, SETTLE_UPDATES } from '../sources.js';
import { isMinor, isServerVersion } from '../version.js';
import { BackupsInput } from './backups.js';
import { DriverInput } from './drivers.js';
import { Notices } from './notices.js';
import { FilePath, HostAndPort, SecretRef, ServerVersion, Tls } from './fields.js';

export {
  CommandDriver,
  CommandNode,
  DriverInput,
  ProcessDriver,
  ProcessNode,
  SystemdDriver,
  SystemdNode,
  VersionSwitch,
  type ServerNode,
} from './drivers.js';
export { ComposeDriver, ComposeService, engineOf, isPodmanCompose, overrideFileOf } from './compose.js';
export { KubernetesChange, KubernetesDriver } from './kubernetes.js';
export type { ApprovalPolicy } from './approval.js';
export { Role, SecretRef, Tls } from './fields.js';

/**
 * What an operator gives to start a roll-out. It is sent as JSON by the Temporal CLI and kept in the workflow's history,
 * so every field survives JSON and no field holds a secret: secrets are named, and read where they are used.
 */

/** How the frontend of a target is reached: by address, or by a profile of the Temporal CLI's `temporal.toml`. */
export const Connection = z.union([
  z.strictObject({
    address: HostAndPort.describe('host:port of a frontend, or of the balancer before them.'),
    tls: z
      .union([z.literal(true), Tls])
      .optional()
      .describe('true for the system’s certificate authorities.'),
    apiKey: SecretRef.optional().describe('Sent with each call, where an authorizer of yours wants one.'),
  }),
  z.strictObject({
    profile: z.string().min(1).describe('A profile of the standard temporal.toml.'),
    configFile: FilePath.optional().describe('Another file than the standard one.'),
  }),
]);
export type Connection = z.infer<typeof Connection>;

/** How a SQL database is entered, whichever it is. */
const SQL_ACCESS = {
  host: z.string().min(1).describe('Where the workers of this target reach it.'),
  database: z.string().min(1).describe('Name of the database.'),
  user: z.string().min(1).describe('Who owns the tables, or may change them.'),
  password: SecretRef.optional().describe('None where the database asks for none.'),
  tls: z
    .union([z.literal(true), Tls])
    .optional()
    .describe('true for the system’s certificate authorities.'),
};
const Port = z.int().min(1).max(65_535).describe('Its port.');

export const PostgresStore = z.strictObject({
  type: z
    .literal('postgresql')
    .describe(
      'PostgreSQL 12 or later; 9.6 with the plugin "postgres" of servers up to 1.23. Or what speaks as it does.',
    ),
  plugin: z
    .enum(['postgres12', 'postgres12_pgx', 'postgres'])
    .default('postgres12')
    .describe('Plugin name of the server’s configuration.'),
  port: Port.default(5432),
  ...SQL_ACCESS,
});
export type PostgresStore = z.infer<typeof PostgresStore>;

export const MysqlStore = z.strictObject({
  type: z.literal('mysql').describe('MySQL 8.0.17 or later; 5.7 with the plugin "mysql" of servers up to 1.23.'),
  plugin: z.enum(['mysql8', 'mysql']).default('mysql8').describe('Plugin name of the server’s configuration.'),
  port: Port.default(3306),
  ...SQL_ACCESS,
});
export type MysqlStore = z.infer<typeof MysqlStore>;

/** How the files of each node are reached, for snapshots. */
const CassandraSnapshots = z.strictObject({
  run: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Words before a command that make it run on a node, such as [ssh, "cassandra@{node}"]; none where the node is this host.',
    ),
  nodetool: z.array(z.string().min(1)).min(1).default(['nodetool']).describe('Words that run nodetool there.'),
  dataDir: z.string().min(1).default('/var/lib/cassandra/data').describe('Folder of the keyspaces there.'),
});

export const CassandraStore = z.strictObject({
  type: z.literal('cassandra').describe('Cassandra 3.11 or later; for visibility up to servers of 1.23.'),
  hosts: z.array(z.string().min(1)).min(1).describe('Nodes by which the others are found.'),
  port: Port.default(9042),
  keyspace: z.string().min(1).describe('Name of the keyspace.'),
  user: z.string().min(1).optional().describe('None where the database asks for none.'),
  password: SecretRef.optional().describe('None where the database asks for none.'),
  tls: z
    .union([z.literal(true), Tls])
    .optional()
    .describe('true for the system’s certificate authorities.'),
  datacenter: z.string().min(1).optional().describe('The one that is asked; that of the first node when left out.'),
  consistency: z
    .enum(['LOCAL_QUORUM', 'QUORUM', 'ALL', 'LOCAL_ONE', 'ONE'])
    .default('LOCAL_QUORUM')
    .describe('How many nodes have to agree on what is read.'),
  snapshots: CassandraSnapshots.prefault({}).describe('How each node is backed up.'),
});
export type CassandraStore = z.infer<typeof CassandraStore>;

export const ElasticsearchStore = z.strictObject({
  type: z
    .literal('elasticsearch')
    .describe('Elasticsearch 7.10 or later, or OpenSearch 2 or later: for visibility alone.'),
  url: z
    .url({ protocol: /^https?$/, error: 'expected its address, such as "https://search:9200"' })
    .describe('Where the workers of this target reach it.'),
  index: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]*$/, 'expected the name of an index, such as "temporal_visibility_v1_live"')
    .describe('Name of the index.'),
  user: z.string().min(1).optional().describe('None where the search server asks for none.'),
  password: SecretRef.optional().describe('None where the search server asks for none.'),
  apiKey: SecretRef.optional().describe(
    'In place of user and password: the encoded key, as the search server gave it.',
  ),
  snapshotRepository: z
    .string()
    .min(1)
    .optional()
    .describe('Repository of the search server that backups are snapshots in; every document is read when left out.'),
  tls: z
    .union([z.literal(true), Tls])
    .optional()
    .describe('true for the system’s certificate authorities; an https address alone means the same.'),
});
export type ElasticsearchStore = z.infer<typeof ElasticsearchStore>;

/** Whether a store of that plugin name is one of those above. */
export function isSqlPlugin(plugin: string): plugin is SqlStore['plugin'] {
  const known: readonly string[] = [
    ...PostgresStore.shape.plugin.unwrap().options,
    ...MysqlStore.shape.plugin.unwrap().options,
  ];
  return known.includes(plugin);
}

/** A store that Temporal's SQL tool knows. */
export type SqlStore = PostgresStore | MysqlStore;

/**
 * Temporal's documentation of visibility in SQLite: it is made when the server starts and gone when it stops; one in a file takes no
 * schema upgrade.
 */
export const SQLITE =
  'SQLite cannot be upgraded: in memory there is nothing to upgrade, as all of it is lost when the server stops; one in a file takes ' +
  'no schema upgrade, and has to be deleted and made anew by a server of the new version, after what is still needed of it was ' +
  'exported (temporal workflow list, temporal workflow show --output json). Move to PostgreSQL or MySQL to keep workflows over an upgrade';

/** A database of the target. */
export const StoreInput = z.discriminatedUnion(
  'type',
  [PostgresStore, MysqlStore, CassandraStore, ElasticsearchStore],
  {
    error: ({ input }) => (isSqlite(input) ? SQLITE : undefined),
  },
);

/** One that can be the default store. */
const DefaultStoreInput = z.discriminatedUnion('type', [PostgresStore, MysqlStore, CassandraStore], {
  error: ({ input }) => (isSqlite(input) ? SQLITE : undefined),
});

function isSqlite(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'type' in input && input.type === 'sqlite';
}

export type StoreInput = z.infer<typeof StoreInput>;

/** What the server calls the kind of a store in its configuration. */
export function pluginOf(store: StoreInput): SqlStore['plugin'] | 'cassandra' | 'elasticsearch' {
  return 'plugin' in store ? store.plugin : store.type;
}

/** Name of the database, keyspace or index. */
export function databaseNameOf(store: StoreInput): string {
  switch (store.type) {
    case 'cassandra':
      return store.keyspace;
    case 'elasticsearch':
      return store.index;
    default:
      return store.database;
  }
}

/** By what a store is known again, such as in the manifest of a backup. */
export interface StorePlace {
  readonly database: string;
  readonly host: string;
  readonly port: number;
}

export function placeOfStore(store: StoreInput): StorePlace {
  const database = databaseNameOf(store);
  switch (store.type) {
    case 'cassandra':
      return { database, host: store.hosts.join(','), port: store.port };
    case 'elasticsearch': {
      const { hostname, port, protocol } = new URL(store.url);
      return { database, host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
    }
    default:
      return { database, host: store.host, port: store.port };
  }
}

/** The store as that of a SQL database. @throws TypeError when it is another */
export function asSqlStore(store: StoreInput): SqlStore {
  if (store.type === 'postgresql' || store.type === 'mysql') return store;
  throw new TypeError(`${databaseNameOf(store)} is no SQL database`);
}

/** Where the metrics of the servers are read, when not from each process itself. */
export const MetricsSource = z.strictObject({
  prometheus: z
    .url({ protocol: /^https?$/, error: 'expected the address of a Prometheus, such as "http://prometheus:9090"' })
    .describe('A Prometheus that scrapes every process; also what else answers its HTTP API.'),
  every: Duration.prefault(30_000).describe('How often it scrapes; it is not asked more often than that by itself.'),
  instanceLabel: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'expected the name of a label')
    .default('instance')
    .describe('Label that holds the metricsAddress of a node.'),
  labels: z
    .record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'expected the name of a label'), z.string())
    .default({})
    .describe('What else the series of this cluster carry, where one Prometheus has several.'),
  bearerToken: SecretRef.optional().describe('Sent with each question.'),
});
export type MetricsSource = z.infer<typeof MetricsSource>;

export const Target = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and dashes')
    .describe('What people call it; the roll-out of live NAME is upgrade-NAME.'),
  connection: Connection.describe('How clients reach it: by address, or by a profile.'),
  frontends: z
    .array(HostAndPort)
    .min(1)
    .optional()
    .describe('Address of each frontend; the connection’s alone when left out.'),
  version: ServerVersion.optional().describe(
    'Version that it is believed to run; the roll-out refuses to start when it runs another.',
  ),
  stores: z
    .strictObject({
      default: DefaultStoreInput.describe('Histories and all else that is not visibility.'),
      visibility: StoreInput.describe('What lists and counts are answered from.'),
      secondaryVisibility: StoreInput.optional().describe(
        'Written beside it, where the servers have a secondaryVisibilityStore; no server ever checks its schema.',
      ),
    })
    .superRefine(reportSameStore, anyShape)
    .describe('Its databases.'),
  driver: DriverInput.describe('How its servers are stopped and started.'),
  shardsFrom: z
    .enum(['database', 'admin'])
    .optional()
    .describe('Where the owner of each shard is read: the database, if left out; or, one by one, the AdminService.'),
  metrics: MetricsSource.optional().describe('Each process is scraped at its metricsAddress when left out.'),
  bounds: BoundsOverride.optional().describe('Bounds of observations that differ from those of the policy.'),
  taskQueue: z.string().min(1).optional().describe('Task queue of the workers near this target.'),
  backupDir: FilePath.describe('Folder for backups, seen by the workers of this target.'),
  backups: BackupsInput.optional().describe('How backups are made and kept, beside lying in backupDir.'),
});
export type Target = z.infer<typeof Target>;

const SETTLE_MS = SETTLE_MINUTES * 60_000;
const STEADY_MS = SETTLE_STEADY_MINUTES * 60_000;

/** Every hour of a day has its own load. */
const WATCH_MS = 24 * 3_600_000;

const GATE_PHASES = ['schema', 'servers', 'promote'] as const;

const Weight = z.number().positive().max(1_000);

/** Canaries by what they exercise, and how often each is chosen against the others. */
export const LoadMix = z.strictObject({
  steps: Weight.optional().describe('Activities with retries and heartbeats, timers, signals, a child.'),
  simple: Weight.optional().describe('One activity: the cheapest, for high rates.'),
  queries: Weight.optional().describe('Queries before and after a signal.'),
  updates: Weight.optional().describe('Two updates.'),
  continueAsNew: Weight.optional().describe('Three runs, one after the other.'),
  searchAttributes: Weight.optional().describe('A search attribute, found again by a list query.'),
  largePayloads: Weight.optional().describe('Activities that carry 100 kB each way.'),
});
export type LoadMix = z.infer<typeof LoadMix>;

/** Work of the operator's own, done by the operator's own workers. */
export const OwnWorkflow = z.strictObject({
  workflowType: z.string().min(1).describe('What is started.'),
  namespace: z.string().min(1).default('default').describe('Namespace on the target; it has to be there.'),
  taskQueue: z.string().min(1).describe('Task queue of the workers that do this work.'),
  arguments: z.array(z.json()).default([]).describe('Arguments of each start. The history shows them: no secrets.'),
  weight: Weight.optional().describe('How often it is chosen against the canaries of the mix; 1 when left out.'),
  startsPerSecond: z.number().positive().max(1_000).optional().describe('A rate of its own, beside the mix.'),
  endsWithin: Duration.prefault(600_000).describe('One that runs for longer has failed, and times out.'),
});
export type OwnWorkflow = z.infer<typeof OwnWorkflow>;

export const LoadPolicy = z
  .strictObject({
    startsPerSecond: z.number().positive().max(1_000).default(2).describe('Canary workflows started each second.'),
    namespace: z
      .string()
      .min(1)
      .default('temporal-upgrade-canary')
      .describe('Namespace on the target; made when missing.'),
    longRunning: z.int().nonnegative().default(20).describe('Canaries started before each hop that end after it.'),
    probesPerSecond: z
      .number()
      .nonnegative()
      .max(200)
      .optional()
      .describe(
        'Calls of the client probe each second without retries, and as many with them, at least 5; 10 when left out, 0 for none.',
      ),
    mix: z
      .union([z.literal('everything'), LoadMix])
      .optional()
      .describe('What canaries exercise, with weights: {"steps": 3, "updates": 1}; steps alone when left out.'),
    rampUp: Duration.optional().describe('Time in which the rate rises from nothing to all of it.'),
    moreNamespaces: z
      .array(z.string().min(1))
      .max(20)
      .optional()
      .describe('Namespaces that canaries are spread over, beside the first; made when missing.'),
    uncachedShare: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        'Share of canaries (but simple ones) whose worker keeps no workflow in its cache: each task replays the history.',
      ),
    scheduleEvery: Duration.optional().describe('A schedule that starts a canary so often, in whole seconds.'),
    own: z.array(OwnWorkflow).max(100).optional().describe('Workflows of your own, started as canaries are.'),
    copyMixOf: z
      .strictObject({
        connection: Connection.describe('How it is reached.'),
        namespaces: z.array(z.string().min(1)).min(1).max(100).describe('Where its workflows are counted.'),
      })
      .optional()
      .describe('Weights of `own` are taken from how often each type was started there in the last day.'),
  })
  .superRefine(reportLoadProblems, anyShape);
export type LoadPolicy = z.infer<typeof LoadPolicy>;

export const RollStyle = z.enum(['careful', 'strict', 'asConfigured']);
export type RollStyle = z.infer<typeof RollStyle>;

export const RollClients = z.enum(['balanced', 'pinned']);
export type RollClients = z.infer<typeof RollClients>;

/** How servers are replaced, as far as clients could notice it. */
export const RollPolicy = z.strictObject({
  style: RollStyle.default('careful').describe(
    'Settings that servers get while they are replaced, in their dynamic configuration, taken back after it: careful, strict (slower, for no failed attempt at all), or asConfigured for none.',
  ),
  clients: RollClients.default('balanced').describe(
    'How clients reach the frontends: balanced by health checks or by name (headless), or pinned to one connection (an L4 address).',
  ),
  quiet: Duration.prefault(10_000).describe(
    'How long no member of the rings may come or go after a process was replaced, before the next one is.',
  ),
  canary: Duration.prefault(30_000).describe(
    'How long the first process of each role on the new version is observed before the others; 0 for not at all.',
  ),
  batch: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('How many processes of a role are replaced at a time; never all that it has.'),
});
export type RollPolicy = z.infer<typeof RollPolicy>;

export const Policy = z
  .strictObject({
    gates: z
      .strictObject({
        staging: z
          .array(z.enum(['schema', 'servers']))
          .default([])
          .describe('Before which steps of each hop.'),
        live: z
          .array(z.enum(GATE_PHASES))
          .default([...GATE_PHASES])
          .describe('Before which steps of each hop; promote: before live is touched at all.'),
      })
      .prefault({})
      .describe('Where a person decides. Staging has no gates unless they are named; live has all of them.'),
    approval: z
      .strictObject({
        staging: ApprovalPolicy.prefault({}).describe('At staging.'),
        live: ApprovalPolicy.prefault({}).describe('At live.'),
      })
      .prefault({})
      .describe('Who decides at the gates and incidents of each target.'),
    notices: Notices.prefault({}).describe('Who is told of gates, incidents and the end, and how.'),
    settle: z
      .strictObject({
        atLeast: Duration.prefault(SETTLE_MS).describe('Time that History gets to load and rewrite every shard.'),
        reason: z.string().trim().min(1).optional().describe('Why less than ten minutes are enough here.'),
        proofTimeout: Duration.prefault(600_000).describe(
          'How long after that the proof may take before a person is asked.',
        ),
        steady: Duration.optional().describe(
          'For so long no shard may have changed its owner: two minutes; no more than atLeast where that is shortened.',
        ),
        updates: z
          .int()
          .min(0)
          .max(10)
          .optional()
          .describe(
            'Writes of each shard’s row by its new owner that have to be seen: 2; none where atLeast is shortened.',
          ),
      })
      .prefault({})
      // Temporal's upgrade guide: "allow approximately 10 minutes on each version".
      .refine(({ atLeast, reason }) => atLeast >= SETTLE_MS || reason !== undefined, {
        path: ['reason'],
        message: 'a settle shorter than ten minutes needs a reason, which status and report show',
      })
      .refine(
        ({ steady = STEADY_MS, updates = SETTLE_UPDATES, reason }) =>
          (steady >= STEADY_MS && updates >= SETTLE_UPDATES) || reason !== undefined,
        {
          path: ['reason'],
          message: 'a settle proved by less than two quiet minutes and two writes of each shard needs a reason',
        },
      )
      .describe('How long History gets after the servers of a hop, and what is asked of its shards then.'),
    observation: z
      .strictObject({
        window: Duration.prefault(180_000).describe('Length of each observation.'),
        beat: Duration.optional().describe(
          'Time between two samples; a twentieth of the window, 1 to 10 s, if left out.',
        ),
        bounds: Bounds.prefault({}).describe('What a window may show; a target may set its own.'),
        extensions: z
          .int()
          .min(0)
          .max(10)
          .default(2)
          .describe('How often a window without enough evidence is extended.'),
      })
      .prefault({})
      .describe('How long a target is looked at, and what it may show.'),
    load: z
      .strictObject({
        staging: LoadPolicy.prefault({}).describe('Canaries on staging, all the time.'),
        live: LoadPolicy.optional().describe('Canaries on live too; none unless asked for.'),
      })
      .prefault({})
      .describe('Simulated work, every item of which is accounted for.'),
    roll: RollPolicy.prefault({}).describe('How servers are replaced.'),
    onFail: z
      .enum(['incident', 'rollBack'])
      .default('incident')
      .describe(
        'What a failed observation of the new servers does: wait for a person, or put the servers of the hop back first.',
      ),
    watchLive: Duration.prefault(WATCH_MS).describe(
      'How long live is watched after its last hop before the roll-out closes; 0 for not at all.',
    ),
  })
  .prefault({});
export type Policy = z.infer<typeof Policy>;

export const RolloutInput = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: where the JSON Schema of this file is. Not read.'),
    to: z
      .string()
      .refine(
        (text) => isServerVersion(text) || isMinor(text),
        'expected a minor such as "1.31", or a version such as "1.31.2"',
      )
      .meta({ pattern: '^\\d+\\.\\d+(\\.\\d+)?$' })
      .describe('Minor to reach, at its newest patch, or a version in full.'),
    pins: z
      .record(
        z.string().refine(isMinor, 'expected a minor such as "1.30"').meta({ pattern: '^\\d+\\.\\d+$' }),
        ServerVersion,
      )
      .default({})
      .describe('Patch to use for a minor, instead of the newest: {"1.30": "1.30.7"}.'),
    staging: Target.describe('The cluster on which all of it is done first.'),
    live: Target.describe('The cluster that it is about.'),
    policy: Policy.describe('By which rules; every one has a default.'),
    dataDir: FilePath.default('~/.local/share/temporal-upgrade').describe(
      'Folder of the workers for ledgers, samples and the report; ~ is the home folder of the worker.',
    ),
  })
  .superRefine(reportPinProblems, anyShape)
  .superRefine(reportBatchProblems, anyShape)
  .superRefine(reportSameCluster, anyShape);
export type RolloutInput = z.infer<typeof RolloutInput>;
/** A roll-out as an operator writes it, before defaults are filled in. */
export type RolloutInputText = z.input<typeof RolloutInput>;

/** The input with its defaults filled in. @throws InvalidRolloutError with every problem and its path. */
export function parseRolloutInput(raw: unknown): RolloutInput {
  const result = RolloutInput.safeParse(raw);
  if (result.success) return result.data;
  throw new InvalidRolloutError(problemsOf(result.error));
}

/** One cluster as an operator describes it, with its defaults filled in. @throws InvalidRolloutError with every problem. */
export function parseTarget(raw: unknown): Target {
  const result = Target.safeParse(raw);
  if (result.success) return result.data;
  throw new InvalidRolloutError(problemsOf(result.error));
}
