import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PreconditionError } from '../core/errors.js';
import { mapStores, ofPart, partsIn, type PerStore } from '../core/stores.js';
import { CASSANDRA_USER, removeCassandra, startCassandra } from './cassandra.js';
import { makeCertificates, type Certificates } from './certificates.js';
import type { LabDatabase } from './lab-database.js';
import { removeMysql, startMysql } from './mysql.js';
import { removeSearch, startSearch, type SearchRelease } from './opensearch.js';
import { removePostgres, startPostgres } from './postgres.js';
import { secureSearch } from './secured-search.js';
import { secureSql } from './secure-sql.js';
import type { LabStores } from './server-config.js';
import { cassandraServer, searchServer, sqlServer, type Entry, type StoreServer } from './store-server.js';

/** What the default store of a lab's clusters can stand on; postgres96 and mysql57 have the scripts and the plugin of old servers. */
const DEFAULTS = [
  'postgres',
  'postgres12',
  'mysql',
  'mariadb',
  'cassandra',
  'cassandra5',
  'postgres96',
  'mysql57',
] as const;
type Default = (typeof DEFAULTS)[number];

/** What their visibility can stand on. */
const VISIBILITIES = [...DEFAULTS, 'opensearch', 'elasticsearch'] as const;
type Visibility = (typeof VISIBILITIES)[number];
type Product = Default | Visibility;

/** `mysql`, `mysql+elasticsearch` where visibility stands on something else, or a third for a second visibility store. */
export type LabStore = Default | `${Default}+${Visibility}` | `${Default}+${Visibility}+${Visibility}`;

/** The store that the variable STORE names; PostgreSQL when it names none. @throws PreconditionError */
export function chosenStore(name = process.env['STORE'] ?? ''): LabStore {
  if (name === '') return 'postgres';
  const [first, ...others] = name.split('+');
  const store = DEFAULTS.find((each) => each === first);
  const [visibility, second] = others.map((other) => VISIBILITIES.find((each) => each === other));
  if (store !== undefined && others.length === 0) return store;
  if (store !== undefined && visibility !== undefined) {
    if (others.length === 1) return `${store}+${visibility}`;
    if (second !== undefined && others.length === 2) return `${store}+${visibility}+${second}`;
  }
  throw new PreconditionError(
    `STORE is "${name}"; expected one of ${DEFAULTS.join(', ')}, or two such as cassandra+opensearch, the second for visibility, and a third for a second one ` +
      `(${VISIBILITIES.join(', ')})`,
    { STORE: name },
  );
}

/** They keep no visibility, Cassandra since 1.24; PostgreSQL does it then, where nothing else is named. */
const WITHOUT_VISIBILITY: readonly Product[] = ['cassandra', 'cassandra5', 'mariadb'];

function productsOf(store: LabStore): PerStore<Product> {
  const [first, visibility, second] = store.split('+') as [Default, Visibility?, Visibility?];
  return {
    default: first,
    visibility: visibility ?? (WITHOUT_VISIBILITY.includes(first) ? 'postgres' : first),
    ...(second === undefined ? {} : { secondaryVisibility: second }),
  };
}

const NAMES: Readonly<Record<Product, string>> = {
  postgres: 'PostgreSQL',
  postgres12: 'PostgreSQL 12',
  mysql: 'MySQL',
  mariadb: 'MariaDB',
  cassandra: 'Cassandra',
  cassandra5: 'Cassandra 5',
  opensearch: 'OpenSearch',
  elasticsearch: 'Elasticsearch',
  postgres96: 'PostgreSQL with the plugin of servers up to 1.23',
  mysql57: 'MySQL with the plugin of servers up to 1.23',
};

/** For people: `Cassandra, with PostgreSQL for visibility`. */
export function storeName(store: LabStore): string {
  const { default: first, visibility, secondaryVisibility: second } = productsOf(store);
  const names = [visibility, ...(second === undefined ? [] : [second])].map((product) => NAMES[product]);
  return first === visibility && second === undefined
    ? NAMES[first]
    : `${NAMES[first]}, with ${names.join(' and ')} for visibility`;
}

/** Database servers for the clusters of a lab. */
export interface StartedStores {
  readonly stores: LabStores;
  /** The SQL database servers among them. */
  readonly databases: readonly LabDatabase[];
  /** Stops them; their data stays. */
  readonly stop: () => Promise<void>;
}

interface Started {
  readonly server: StoreServer;
  readonly database?: LabDatabase;
  stop(): Promise<void>;
}

/**
 * Starts database servers in folders of their own below `directory`, which keep their data. With `tls` they admit those alone who come
 * through TLS with a certificate and a password; such are made anew, not used again.
 */
export async function startStores(
  store: LabStore,
  directory: string,
  { tls = false }: { readonly tls?: boolean } = {},
): Promise<StartedStores> {
  const certificates = tls ? await makeCertificates(join(directory, 'store-certificates')) : undefined;
  const products = productsOf(store);
  const started = new Map<Product, Started>();
  const stop = async () => {
    for (const one of started.values()) await one.stop();
  };
  try {
    for (const part of partsIn(products)) {
      const product = ofPart(products, part);
      if (!started.has(product)) started.set(product, await startProduct(product, { parent: directory, certificates }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const serverOf = (product: Product) => started.get(product)?.server as StoreServer; // each has been started
  return {
    stores: mapStores(products, serverOf),
    databases: [...started.values()].flatMap(({ database }) => (database === undefined ? [] : [database])),
    stop,
  };
}

const SEARCH: Readonly<Record<'opensearch' | 'elasticsearch', SearchRelease>> = {
  opensearch: 'opensearch2',
  elasticsearch: 'elasticsearch7',
};

interface Place {
  readonly parent: string;
  readonly certificates: Certificates | undefined;
}

async function startProduct(product: Product, { parent, certificates }: Place): Promise<Started> {
  const directory = join(parent, product);
  switch (product) {
    case 'postgres':
      return ofSql(await startPostgres({ directory }), certificates);
    case 'postgres12':
      return ofSql(await startPostgres({ directory, oldest: true }), certificates);
    case 'mysql':
      return ofSql(await startMysql({ directory }), certificates);
    case 'mariadb':
      if (certificates !== undefined) throw new TypeError('the lab knows no way to load certificates into MariaDB');
      return ofSql(await startMysql({ directory, mariadb: true }));
    case 'postgres96':
      return ofSql({ ...(await startPostgres({ directory })), plugin: 'postgres' }, certificates);
    case 'mysql57':
      return ofSql({ ...(await startMysql({ directory })), plugin: 'mysql' }, certificates);
    case 'cassandra':
    case 'cassandra5': {
      const release = product === 'cassandra5' ? ({ release: '5.0' } as const) : {};
      const node = await startCassandra(directory, certificates === undefined ? release : { ...release, certificates });
      const entry = certificates && (await entryOf(directory, { ...CASSANDRA_USER, certificates }));
      return { server: cassandraServer(node, entry), stop: () => node.stop() };
    }
    case 'opensearch':
    case 'elasticsearch': {
      const node = await startSearch(directory, SEARCH[product]);
      if (certificates === undefined) return { server: searchServer(node), stop: () => node.stop() };
      const entry = await entryOf(directory, { ...SEARCH_USER, certificates });
      const basic = Buffer.from(`${entry.user}:${entry.password}`).toString('base64');
      const door = await secureSearch(node.url, certificates, [`Basic ${basic}`]);
      const stop = async () => {
        await door.close();
        await node.stop();
      };
      return { server: searchServer(door, entry), stop };
    }
  }
}

const SEARCH_USER = { user: 'temporal', password: 'password-of-the-lab' } as const;

async function entryOf(directory: string, entry: Omit<Entry, 'passwordFile'>): Promise<Entry> {
  const passwordFile = join(directory, 'entry-password');
  await writeFile(passwordFile, entry.password, { mode: 0o600 });
  return { ...entry, passwordFile };
}

async function ofSql(
  database: LabDatabase & { readonly dataDir: string },
  certificates?: Certificates,
): Promise<Started> {
  if (certificates !== undefined) await secureSql(database, certificates);
  return { server: sqlServer(database, certificates), database, stop: () => database.stop() };
}

/** Removes every database server below `directory` with its data, running or not. */
export async function removeDatabases(directory: string): Promise<void> {
  for (const product of ['postgres', 'postgres12', 'postgres96'] as const)
    await removePostgres(join(directory, product));
  for (const product of ['mysql', 'mariadb', 'mysql57'] as const) await removeMysql(join(directory, product));
  for (const product of ['cassandra', 'cassandra5'] as const) await removeCassandra(join(directory, product));
  for (const product of ['opensearch', 'elasticsearch'] as const) await removeSearch(join(directory, product));
}
