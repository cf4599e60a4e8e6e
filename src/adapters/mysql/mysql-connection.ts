import net from 'node:net';
import type { Connection, ResultSetHeader, RowDataPacket, SslOptions } from 'mysql2';
import { codeOf, messageOf, PreconditionError } from '../../core/errors.js';
import type { MysqlStore } from '../../core/input/input.js';
import { once } from '../../core/once.js';
import { plainHost } from '../plain-host.js';
import { readSecret } from '../secrets.js';
import { readCertificate } from '../tls-files.js';

/** Loaded when one is connected to, as the driver of Cassandra is: most clusters have neither. */
const loadDriver = once(() => import('mysql2'));
const CONNECT_TIMEOUT_MS = 10_000;
/** Long enough for the rows of 16,384 shards over a slow link; nothing that is asked here takes longer. */
const QUESTION_TIMEOUT_MS = 60_000;
/** No question of this kind is ever worth giving up: it reads a table to its end. */
const NO_END_MS = 24 * 3_600_000;
/** Name under which the database sees this program, in `performance_schema.session_connect_attrs`. */
export const PROGRAM_NAME = 'temporal-upgrade';

/** A connection to MySQL on which one question is asked after the other. Moments are text, in UTC; big integers are text. */
export class MysqlClient {
  constructor(
    private readonly connection: Connection,
    private readonly timeoutMs: number,
  ) {}

  /** Number of this connection, as the process list shows it. */
  get id(): number {
    return this.connection.threadId ?? 0;
  }

  /** Rows of a question. */
  async ask<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    const [rows] = await this.connection
      .promise()
      .query<RowDataPacket[]>({ sql, values: [...values], timeout: this.timeoutMs });
    return rows as unknown as T[]; // what the columns are is known to whoever asks
  }

  /** Rows of a question that may take hours. */
  async askLong<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    const [rows] = await this.connection
      .promise()
      .query<RowDataPacket[]>({ sql, values: [...values], timeout: NO_END_MS });
    return rows as unknown as T[];
  }

  /** Carries a statement out, however long it takes; gives how many rows it changed. */
  async act(sql: string, values: readonly unknown[] = []): Promise<number> {
    const [done] = await this.connection
      .promise()
      .query<ResultSetHeader>({ sql, values: [...values], timeout: NO_END_MS });
    return done.affectedRows;
  }

  /** Rows of a question one after the other, as they are wanted: memory does not grow with their number. */
  async *stream<T>(sql: string): AsyncGenerator<T> {
    const rows = this.connection.query(sql).stream({ highWaterMark: 1_000 });
    for await (const row of rows) yield row as T;
  }

  /** A name as MySQL takes it for exactly that name. */
  name(identifier: string): string {
    return `\`${identifier.replaceAll('`', '``')}\``;
  }
}

/**
 * Runs `work` on a connection of its own and closes it whatever happens. There is no pool: questions are rare, and
 * nothing is left open while a roll-out waits for days.
 * @throws PreconditionError in the words of the operator when the database cannot be reached, entered or read
 */
export async function withMysql<T>(
  input: MysqlStore,
  work: (client: MysqlClient) => Promise<T>,
  /** For both connecting and each question, where an answer is wanted soon or not at all. */
  timeoutMs?: number,
): Promise<T> {
  let connection: Connection | undefined;
  try {
    connection = await connect(input, timeoutMs);
    return await work(new MysqlClient(connection, timeoutMs ?? QUESTION_TIMEOUT_MS));
  } catch (error) {
    // What else `work` does, such as running a program, has errors of its own.
    throw connection === undefined || comesFromDatabase(error) ? asPreconditionError(error, input) : error;
  } finally {
    // After a question that was given up the connection cannot even say goodbye.
    await endSoon(connection);
  }
}

async function connect(input: MysqlStore, timeoutMs: number | undefined): Promise<Connection> {
  const host = plainHost(input.host);
  const tls = await tlsOptions(input);
  const { createConnection } = await loadDriver();
  const connection = createConnection({
    // The name that the certificate is held against; the way to it is that of `stream`.
    host: tls === undefined ? host : verifiedName(input),
    stream: () => net.connect({ host, port: input.port, keepAlive: true, noDelay: true }),
    port: input.port,
    user: input.user,
    password: input.password === undefined ? '' : await readSecret(input.password),
    database: input.database,
    connectTimeout: timeoutMs ?? CONNECT_TIMEOUT_MS,
    connectAttributes: { program_name: PROGRAM_NAME },
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    charset: 'utf8mb4',
    ...(tls === undefined ? {} : { ssl: tls }),
  });
  // A connection that breaks while nothing is asked of it must not bring the worker down; the next question fails instead.
  connection.on('error', () => undefined);
  await connection.promise().connect();
  return connection;
}

async function endSoon(connection: Connection | undefined): Promise<void> {
  if (connection === undefined) return;
  const ended = connection
    .promise()
    .end()
    .catch(() => undefined);
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
  connection.destroy();
}

function verifiedName({ host, tls }: MysqlStore): string {
  return tls === true || tls?.serverName === undefined ? plainHost(host) : tls.serverName;
}

/**
 * The library holds a certificate against names alone, so that an address needs one.
 * @throws PreconditionError when there is no name to expect
 */
async function tlsOptions(input: MysqlStore): Promise<SslOptions | undefined> {
  if (input.tls === undefined) return undefined;
  if (net.isIP(verifiedName(input)) !== 0) {
    throw new PreconditionError(
      `MySQL at ${input.host}:${input.port} is named by its address, and a certificate is held against a name; set "tls.serverName" to a name that its certificate has`,
      { host: input.host, port: input.port, reason: 'tls' },
    );
  }
  const verified = { rejectUnauthorized: true, verifyIdentity: true };
  if (input.tls === true) return verified;
  const { serverCaFile, clientCertFile, clientKeyFile } = input.tls;
  const [ca, cert, key] = await Promise.all(
    [serverCaFile, clientCertFile, clientKeyFile].map(async (file) => (await readCertificate(file))?.toString()),
  );
  return {
    ...verified,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** Errors of the server have a number; those of the connection are known by their code. */
function comesFromDatabase(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'errno' in error || /^(PROTOCOL_|ECONN|EPIPE|ETIMEDOUT)/.test(codeOf(error) ?? '');
}

/** What MySQL (by the name of its error) or the network says, and the way out. */
const REASONS: readonly [code: string, reason: string, explain: (input: MysqlStore) => string][] = [
  [
    'ER_ACCESS_DENIED_ERROR',
    'wrong-password',
    (i) =>
      `refuses user "${i.user}"${i.password === undefined ? ' without a password; set "password"' : '; correct the secret that "password" names'}, or allow the user from this worker's host`,
  ],
  [
    'ER_DBACCESS_DENIED_ERROR',
    'no-rights',
    (i) => `gives user "${i.user}" no right to enter it; use the user of the Temporal server, or grant the right`,
  ],
  [
    'ER_BAD_DB_ERROR',
    'no-database',
    (i) => `has no database "${i.database}"; correct "database", or look which one the server's configuration names`,
  ],
  [
    'ER_TABLEACCESS_DENIED_ERROR',
    'no-rights',
    (i) => `gives user "${i.user}" no right to read it; use the user of the Temporal server, or grant the right`,
  ],
  [
    'ER_HOST_NOT_PRIVILEGED',
    'not-admitted',
    (i) => `does not admit this worker's host; create user "${i.user}" for it`,
  ],
  [
    'ER_CON_COUNT_ERROR',
    'too-many-connections',
    () => 'has no connection left; raise max_connections or lower the pools of others',
  ],
  [
    'ER_USER_LIMIT_REACHED',
    'too-many-connections',
    (i) => `lets user "${i.user}" open no more connections; raise its limit`,
  ],
  ['ER_SERVER_SHUTDOWN', 'starting', () => 'is stopping; wait until it accepts connections'],
  ['ER_SECURE_TRANSPORT_REQUIRED', 'tls', () => 'demands TLS; set "tls" of the store'],
  [
    'PROTOCOL_SEQUENCE_TIMEOUT',
    'timeout',
    () => `did not answer a question within ${QUESTION_TIMEOUT_MS / 1_000} s; look for locks and load`,
  ],
];

function asPreconditionError(error: unknown, input: MysqlStore): unknown {
  if (error instanceof PreconditionError) return error;
  const { host, port, database, user } = input;
  const where = `MySQL at ${host}:${port} (database "${database}", user "${user}")`;
  const facts = { host, port, database, user };
  const message = messageOf(error);
  const known = REASONS.find(([code]) => code === codeOf(error));
  if (known !== undefined) {
    const [, reason, explain] = known;
    return new PreconditionError(`${where} ${explain(input)} (${message})`, { ...facts, reason }, { cause: error });
  }
  if (error instanceof Error && 'sqlState' in error) {
    return new PreconditionError(`${where} answers: ${message}`, { ...facts, reason: 'refused' }, { cause: error });
  }
  if (/SSL|TLS|certificate|altnames|secure connection/i.test(message)) {
    return new PreconditionError(
      `${where} cannot be reached with these TLS settings: ${message}; correct "tls" of the store`,
      { ...facts, reason: 'tls' },
      { cause: error },
    );
  }
  return new PreconditionError(
    `${where} cannot be reached: ${message || String(codeOf(error))}; is it running, and is the way open from the host of this worker?`,
    { ...facts, reason: 'unreachable' },
    { cause: error },
  );
}
