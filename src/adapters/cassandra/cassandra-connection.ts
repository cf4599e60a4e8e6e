import type { Client, DseClientOptions, errors, types } from 'cassandra-driver';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { CassandraStore } from '../../core/input/input.js';
import { once } from '../../core/once.js';
import { readSecret } from '../secrets.js';
import { readCertificate } from '../tls-files.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** A page of rows, or a change of a table; Cassandra itself gives up earlier by default. */
const QUESTION_TIMEOUT_MS = 60_000;
const PAGE = 1_000;
const CONSISTENCIES = {
  LOCAL_QUORUM: 'localQuorum',
  QUORUM: 'quorum',
  ALL: 'all',
  LOCAL_ONE: 'localOne',
  ONE: 'one',
} as const satisfies Record<CassandraStore['consistency'], keyof typeof types.consistencies>;

/** Loaded where there is such a store: it is more than a hundred files. */
const loadDriver = once(() => import('cassandra-driver'));
type CassandraDriver = Awaited<ReturnType<typeof loadDriver>>;

/** A session with Cassandra. Big integers and ids are text. */
export class CassandraClient {
  constructor(
    private readonly client: Client,
    readonly keyspace: string,
    private readonly datacenter: string,
  ) {}

  /** All rows of a question. */
  async ask<T>(cql: string, values: readonly unknown[] = []): Promise<T[]> {
    const rows: T[] = [];
    for await (const row of this.stream<T>(cql, values)) rows.push(row);
    return rows;
  }

  /** Rows of a question page by page: memory does not grow with their number. */
  async *stream<T>(cql: string, values: readonly unknown[] = []): AsyncGenerator<T> {
    let pageState: string | undefined;
    do {
      const options = { prepare: true, fetchSize: PAGE, ...(pageState === undefined ? {} : { pageState }) };
      const result = await this.client.execute(cql, [...values], options);
      for (const row of result.rows) yield row as unknown as T; // what the columns are is known to whoever asks
      pageState = result.pageState ?? undefined;
    } while (pageState !== undefined);
  }

  /** Carries a statement out that may only be applied when its condition holds; says whether it was. */
  async actIf(cql: string, values: readonly unknown[] = []): Promise<boolean> {
    const result = await this.client.execute(cql, [...values], { prepare: true, isIdempotent: false });
    return result.wasApplied();
  }

  async act(cql: string, values: readonly unknown[] = []): Promise<void> {
    await this.client.execute(cql, [...values], { prepare: true });
  }

  /** A statement that changes tables; it is done when all nodes that are up have it. */
  async change(cql: string): Promise<void> {
    const { info } = await this.client.execute(cql);
    // The driver's types leave it out (ResultSet of its lib/types/result-set.js).
    if ((info as { isSchemaInAgreement?: boolean }).isSchemaInAgreement !== true)
      throw new PreconditionError('the nodes of Cassandra do not agree on the schema');
  }

  /** One question for each of `all`, some at a time, in their order. */
  async askEach<V, T>(
    all: readonly V[],
    cql: string,
    valuesOf: (one: V) => unknown[],
    atOnce: number,
  ): Promise<(T | undefined)[]> {
    const answers: (T | undefined)[] = [];
    let next = 0;
    const work = async () => {
      for (let index = next++; index < all.length; index = next++) {
        const one = all[index];
        if (one === undefined) continue;
        const result = await this.client.execute(cql, valuesOf(one), { prepare: true });
        answers[index] = (result.first() ?? undefined) as T | undefined;
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, work));
    return answers;
  }

  /** Rows of a question that each node answers for itself, of this session's datacenter: the driver asks no other. */
  async askEveryHost<T>(cql: string, values: readonly unknown[] = []): Promise<T[]> {
    const hosts = this.client.hosts.values().filter((host) => host.isUp() && host.datacenter === this.datacenter);
    const answers = await Promise.all(
      hosts.map(async (host) => {
        // Prepared on whichever node, and so asked anew of those that do not know it yet.
        const { rows } = await this.client.execute(cql, [...values], { host, prepare: values.length > 0 });
        return rows as unknown as T[];
      }),
    );
    return answers.flat();
  }

  /** Nodes as this session knows them, with whether they answer. */
  get hosts(): readonly { readonly address: string; readonly datacenter: string; readonly up: boolean }[] {
    return this.client.hosts
      .values()
      .map((host) => ({ address: host.address, datacenter: host.datacenter ?? '', up: host.isUp() }));
  }

  /** A name as CQL takes it for exactly that name. */
  name(identifier: string): string {
    return /^[a-z][a-z0-9_]*$/.test(identifier) ? identifier : `"${identifier.replaceAll('"', '""')}"`;
  }
}

/** A session that is open until whoever opened it closes it. */
export interface CassandraSession {
  /** Runs `work` on it. @throws as {@link withCassandra} */
  use<T>(work: (client: CassandraClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens a session. `timeoutMs` is for both connecting and each question, where an answer is wanted soon or not at all.
 * @throws PreconditionError in the words of the operator when the database cannot be reached or entered
 */
export async function openCassandra(input: CassandraStore, timeoutMs?: number): Promise<CassandraSession> {
  const driver = await loadDriver();
  const options = await optionsOf(driver, input, timeoutMs);
  const localDataCenter = input.datacenter ?? (await findDatacenter(driver, input, options));
  const client = new driver.Client({ ...options, keyspace: input.keyspace, localDataCenter });
  const close = () => client.shutdown().catch(() => undefined);
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asPreconditionError(driver, error, input);
    }
  };
  try {
    await explained(() => client.connect());
  } catch (error) {
    await close();
    throw error;
  }
  const session = new CassandraClient(client, input.keyspace, localDataCenter);
  return { use: (work) => explained(() => work(session)), close };
}

/**
 * Runs `work` in a session of its own and ends it whatever happens: nothing is left open while a roll-out waits for days.
 * @throws PreconditionError in the words of the operator when the database cannot be reached, entered or read
 */
export async function withCassandra<T>(
  input: CassandraStore,
  work: (client: CassandraClient) => Promise<T>,
  timeoutMs?: number,
): Promise<T> {
  const session = await openCassandra(input, timeoutMs);
  try {
    return await session.use(work);
  } finally {
    await session.close();
  }
}

async function optionsOf(
  { auth, types: { consistencies } }: CassandraDriver,
  input: CassandraStore,
  timeoutMs: number | undefined,
): Promise<DseClientOptions> {
  const { hosts, port, user, consistency } = input;
  const sslOptions = await tlsOptions(input);
  const password = input.password === undefined ? '' : await readSecret(input.password);
  return {
    applicationName: 'temporal-upgrade',
    contactPoints: hosts.map((host) => `${host}:${port}`),
    ...(user === undefined ? {} : { authProvider: new auth.PlainTextAuthProvider(user, password) }),
    ...(sslOptions === undefined ? {} : { sslOptions }),
    socketOptions: { connectTimeout: timeoutMs ?? CONNECT_TIMEOUT_MS, readTimeout: timeoutMs ?? QUESTION_TIMEOUT_MS },
    queryOptions: { consistency: consistencies[CONSISTENCIES[consistency]] },
    encoding: { useUndefinedAsUnset: true },
    isMetadataSyncEnabled: false, // a keyspace of Temporal is small, those of others may not be
  };
}

/** The driver sends questions to one datacenter alone, and takes its name from nobody else: that of the first node that answers. */
async function findDatacenter(
  driver: CassandraDriver,
  input: CassandraStore,
  options: DseClientOptions,
): Promise<string> {
  const loadBalancing = new driver.policies.loadBalancing.RoundRobinPolicy();
  const client = new driver.Client({ ...options, policies: { loadBalancing } });
  try {
    await client.connect();
    const control = client.getState().getConnectedHosts()[0];
    return control?.datacenter ?? client.hosts.values()[0]?.datacenter ?? '';
  } catch (error) {
    throw asPreconditionError(driver, error, input);
  } finally {
    await client.shutdown().catch(() => undefined);
  }
}

async function tlsOptions({ tls }: CassandraStore): Promise<DseClientOptions['sslOptions']> {
  if (tls === undefined) return undefined;
  if (tls === true) return { rejectUnauthorized: true };
  const [ca, cert, key] = await Promise.all(
    [tls.serverCaFile, tls.clientCertFile, tls.clientKeyFile].map(readCertificate),
  );
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

function asPreconditionError(driver: CassandraDriver, error: unknown, input: CassandraStore): unknown {
  const { errors, types } = driver;
  if (error instanceof PreconditionError) return error;
  const { hosts, port, keyspace, user } = input;
  const where = `Cassandra at ${hosts.join(', ')}, port ${port} (keyspace "${keyspace}"${user === undefined ? '' : `, user "${user}"`})`;
  const facts = { hosts, port, keyspace };
  const say = (reason: string, text: string) =>
    new PreconditionError(`${where} ${text}`, { ...facts, reason }, { cause: error });
  if (error instanceof errors.NoHostAvailableError) return fromHosts(driver, error, { say, input });
  if (error instanceof errors.AuthenticationError) return say('wrong-password', refusedText(input, messageOf(error)));
  if (error instanceof errors.OperationTimedOutError)
    return say('timeout', `did not answer a question in time (${messageOf(error)})`);
  if (!(error instanceof errors.ResponseError)) return error;
  const message = messageOf(error);
  switch (error.code as types.responseErrorCodes) {
    case types.responseErrorCodes.unauthorized:
      return say(
        'no-rights',
        `gives its user no right to do this: ${message}; grant it, or use the user of the Temporal server`,
      );
    case types.responseErrorCodes.unavailableException:
      return say(
        'nodes-down',
        `has too few nodes up for consistency ${input.consistency}: ${message}; bring its nodes back`,
      );
    case types.responseErrorCodes.readTimeout:
    case types.responseErrorCodes.writeTimeout:
      return say('timeout', `did not answer in time: ${message}; look for load and for nodes that are down`);
    case types.responseErrorCodes.invalid:
      if (/keyspace .* does not exist/i.test(message)) {
        return say(
          'no-database',
          `has no keyspace "${keyspace}"; correct "keyspace", or look which one the server's configuration names`,
        );
      }
      return say('refused', `answers: ${message}`);
    default:
      return say('refused', `answers: ${message}`);
  }
}

type Say = (reason: string, text: string) => PreconditionError;

/** No node could be used; the driver says of each why. */
function fromHosts(
  { errors }: CassandraDriver,
  error: errors.NoHostAvailableError,
  { say, input }: { readonly say: Say; readonly input: CassandraStore },
): PreconditionError {
  const reasons = Object.values(error.innerErrors as Record<string, unknown>);
  const texts = [...new Set(reasons.map(messageOf))].join('; ') || messageOf(error);
  if (reasons.some((one) => one instanceof errors.AuthenticationError)) {
    return say('wrong-password', refusedText(input, texts));
  }
  if (/keyspace .* does not exist/i.test(texts)) {
    return say(
      'no-database',
      `has no keyspace "${input.keyspace}"; correct "keyspace", or look which one the server's configuration names`,
    );
  }
  if (input.tls !== undefined && /SSL|TLS|certificate|altnames|socket (hang up|was closed)/i.test(texts)) {
    return say('tls', `cannot be reached with these TLS settings: ${texts}; correct "tls" of the store`);
  }
  return say(
    'unreachable',
    `cannot be reached: ${texts}; is it running, and is the way open from the host of this worker?`,
  );
}

function refusedText({ user, password }: CassandraStore, message: string): string {
  if (user === undefined) return `demands a user (${message}); set "user" and "password"`;
  if (password === undefined) return `refuses user "${user}" without a password (${message}); set "password"`;
  return `refuses the password of user "${user}" (${message}); correct the secret that "password" names`;
}
