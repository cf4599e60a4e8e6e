import { join } from 'node:path';
import pg from 'pg';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { createStore } from '../../src/adapters/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { Catalogue } from '../../src/core/catalogue/catalogue.js';
import { storeChecks } from '../../src/core/checks/store-checks.js';
import type { Finding } from '../../src/core/finding.js';
import type { PostgresStore } from '../../src/core/input/input.js';
import { planPath } from '../../src/core/planning/path.js';
import type { Hop, Stores } from '../../src/core/plan.js';
import { schemaFolder } from '../../src/core/schema/schema-version.js';
import type { StoreSurvey } from '../../src/core/survey/store-survey.js';
import type { Survey } from '../../src/core/survey/survey.js';
import { minorOf } from '../../src/core/version.js';
import { startCluster } from '../../src/lab/cluster.js';
import { setUpDatabases } from '../../src/lab/databases.js';
import type { LabPostgres } from '../../src/lab/postgres.js';
import { databasesOf } from '../../src/lab/server-config.js';
import { EMPTY_CLUSTER, frontendInfo } from './store-surveys.js';

export const POSTGRES_STORES: Stores = { default: 'postgres12', visibility: 'postgres12' };
const PARTS = ['default', 'visibility'] as const;
/** What the servers write into their database at their first start. */
const FIRST_ROWS = ['cluster_metadata_info', 'shards', 'cluster_membership'];

type Databases = Readonly<Record<(typeof PARTS)[number], string>>;

/** What is looked at: a version that runs, or a hop, and whatever of the stores is another than usual. */
export interface Looked {
  readonly running?: string;
  readonly hop?: readonly [from: string, to: string];
  readonly inputs?: Partial<Record<(typeof PARTS)[number], Partial<PostgresStore>>>;
  readonly backupDir?: string;
  /** Of each store. */
  readonly maxConns?: number;
}

/** Databases of real clusters of several versions, to be copied and spoilt one by one. */
export class StoreSurveyLab {
  readonly tools = createToolResolver();
  #catalogue: Catalogue | undefined;
  #clusterId = '';
  #copies = 0;

  constructor(
    readonly postgres: LabPostgres,
    readonly folder: string,
  ) {}

  /** Lets a real server of `version` write its first rows, and gives them to databases with the schema of each version. */
  async setUp(version: string, others: readonly string[]): Promise<void> {
    this.#catalogue = await loadCatalogue();
    const cluster = await startCluster({
      name: baseName(version),
      version,
      database: this.postgres,
      directory: join(this.folder, 'cluster'),
      tools: this.tools,
    });
    await cluster.stop();
    for (const other of others) await this.#setUpLike(baseName(version), other);
    const survey = await this.survey(databasesOf(baseName(version)), { running: version });
    const records = survey.stores.default?.cluster?.records;
    this.#clusterId = records !== undefined && 'seen' in records ? (records.seen[0]?.clusterId ?? '') : '';
  }

  async #setUpLike(source: string, version: string): Promise<void> {
    const { postgres, tools } = this;
    const clusterName = baseName(version);
    await setUpDatabases(postgres, { clusterName, version, tools });
    const env = environmentOf(this.postgres);
    const dump = join(this.folder, 'first-rows.sql');
    const tables = FIRST_ROWS.map((table) => `--table=${table}`);
    await this.run('pg_dump', ['--data-only', ...tables, `--file=${dump}`, source], env);
    await this.run(
      'psql',
      ['--quiet', '--set=ON_ERROR_STOP=1', `--file=${dump}`, databasesOf(clusterName).default],
      env,
    );
  }

  /** Runs one of PostgreSQL's own programs. */
  async run(program: string, args: readonly string[], env = environmentOf(this.postgres)): Promise<void> {
    await runCommand(join(this.postgres.binDir, program), args, { env, timeoutMs: 60_000 });
  }

  /** Both databases of a version, copied. `with` is what follows CREATE DATABASE. */
  async copy(version: string, options: { readonly with?: string } = {}): Promise<Databases> {
    const source = databasesOf(baseName(version));
    const copies = databasesOf(`copy${(this.#copies += 1)}`);
    for (const part of PARTS) {
      await this.query('postgres', `create database ${copies[part]} template "${source[part]}" ${options.with ?? ''}`);
      await this.query(copies[part], 'update schema_version set db_name = current_database()');
    }
    return copies;
  }

  /** All that a database holds, as text. */
  async dump(database: string): Promise<string> {
    const env = environmentOf(this.postgres);
    const { stdout } = await runCommand(join(this.postgres.binDir, 'pg_dump'), [database], { env });
    return stdout.replaceAll(/^\\(un)?restrict .*$/gm, ''); // newer ones write a key of chance there
  }

  /** The same databases on another server. */
  async copyTo(other: LabPostgres, databases: Databases): Promise<void> {
    const env = environmentOf(other);
    const file = join(this.folder, 'whole.sql');
    for (const database of Object.values(databases)) {
      await this.run('pg_dump', [`--file=${file}`, database]);
      await this.run('psql', ['--quiet', `--command=create database ${database}`, 'postgres'], env);
      await this.run('psql', ['--quiet', '--set=ON_ERROR_STOP=1', `--file=${file}`, database], env);
    }
  }

  async query(database: string, sql: string): Promise<pg.QueryResultRow[]> {
    const client = await this.connect(database);
    try {
      return (await client.query<pg.QueryResultRow>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async connect(database: string, over: pg.ClientConfig = {}): Promise<pg.Client> {
    const { host, port, user, password } = this.postgres;
    const client = new pg.Client({ host, port, user, password, database, ...over });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  input(database: string, over: Partial<PostgresStore> = {}): PostgresStore {
    const { host, port, user, passwordFile } = this.postgres;
    const password = { file: passwordFile };
    return { type: 'postgresql', plugin: 'postgres12', host, port, database, user, password, ...over };
  }

  hop([from, to]: readonly [string, string]): Hop {
    const pins = { [minorOf(from)]: from }; // not by way of a better patch
    const [hop] = planPath({ catalogue: this.catalogue, from, to, pins, stores: POSTGRES_STORES }).hops;
    if (hop === undefined) throw new Error(`no hop from ${from} to ${to}`);
    return hop;
  }

  get catalogue(): Catalogue {
    if (this.#catalogue === undefined) throw new Error('setUp first');
    return this.#catalogue;
  }

  async survey(databases: Databases, looked: Looked): Promise<Survey> {
    const hop = looked.hop === undefined ? undefined : this.hop(looked.hop);
    const surveys = await Promise.all(
      PARTS.map(async (part): Promise<[string, StoreSurvey]> => {
        const store = createStore(this.input(databases[part], looked.inputs?.[part]), part, this.tools);
        const survey = await store.survey({
          folder: schemaFolder(this.catalogue, POSTGRES_STORES[part], part),
          schemaTo: hop?.schema[part].to,
          backupDir: looked.backupDir ?? join(this.folder, 'backups'),
        });
        return [part, { ...survey, maxConns: { seen: looked.maxConns ?? 60 } }];
      }),
    );
    const version = looked.running ?? looked.hop?.[0] ?? '';
    const info = frontendInfo(version, this.#clusterId);
    return {
      target: 'lab',
      takenAt: new Date().toISOString(),
      cluster: {
        ...EMPTY_CLUSTER,
        frontends: [{ address: '127.0.0.1:7233', info }],
      },
      stores: Object.fromEntries(surveys),
    };
  }

  /** What all checks of stores say, without notes. */
  async problems(databases: Databases, looked: Looked): Promise<Finding[]> {
    return (await this.findings(databases, looked)).filter(({ severity }) => severity !== 'note');
  }

  async findings(databases: Databases, looked: Looked): Promise<Finding[]> {
    const survey = await this.survey(databases, looked);
    const hop = looked.hop === undefined ? undefined : this.hop(looked.hop);
    const context = { catalogue: this.catalogue, stores: POSTGRES_STORES, hop };
    return storeChecks.flatMap((check) => check(survey, context));
  }
}

function environmentOf({ host, port, user, password }: LabPostgres): Record<string, string> {
  return { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
}

function baseName(version: string): string {
  return `base${version.replaceAll('.', '')}`;
}
