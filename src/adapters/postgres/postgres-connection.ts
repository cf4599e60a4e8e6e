import tls, { type ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import { plainHost } from '../plain-host.js';
import { readSecret } from '../secrets.js';
import { readCertificate } from '../tls-files.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Long enough for the rows of 16,384 shards over a slow link; nothing that is asked here takes longer. */
const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * Runs `work` on a connection of its own and closes it whatever happens. There is no pool: questions are rare, and
 * nothing is left open while a roll-out waits for days.
 * @throws PreconditionError in the words of the operator when the database cannot be reached, entered or read
 */
export async function withPostgres<T>(
  input: PostgresStore,
  work: (client: pg.Client) => Promise<T>,
  /** For both connecting and each question, where an answer is wanted soon or not at all. */
  timeoutMs?: number,
): Promise<T> {
  const statementMs = timeoutMs ?? STATEMENT_TIMEOUT_MS;
  const client = new pg.Client({
    host: plainHost(input.host),
    port: input.port,
    database: input.database,
    user: input.user,
    // Never undefined: pg would look into the worker's own PGPASSWORD, meant for something else.
    password: input.password === undefined ? '' : await readSecret(input.password),
    ssl: await tlsOptions(input),
    application_name: 'temporal-upgrade',
    connectionTimeoutMillis: timeoutMs ?? CONNECT_TIMEOUT_MS,
    statement_timeout: statementMs,
    query_timeout: timeoutMs ?? STATEMENT_TIMEOUT_MS + 10_000, // when not even the answer "took too long" comes
    keepAlive: true,
  });
  // A connection that breaks while nothing is asked of it must not bring the worker down; the next query fails instead.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw asPreconditionError(error, input);
    });
    return await work(client);
  } catch (error) {
    // What else `work` does, such as running a program, has errors of its own.
    throw comesFromDatabase(error) ? asPreconditionError(error, input) : error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function comesFromDatabase(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return true;
  const lost = /^(Query read timeout|Connection terminated|Client has encountered a connection error|read E|write E)/;
  return error instanceof Error && lost.test(error.message);
}

async function tlsOptions(input: PostgresStore): Promise<ConnectionOptions | false> {
  if (input.tls === undefined) return false;
  if (input.tls === true) return { rejectUnauthorized: true };
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = input.tls;
  const [ca, cert, key] = await Promise.all([serverCaFile, clientCertFile, clientKeyFile].map(readCertificate));
  return {
    rejectUnauthorized: true,
    ca,
    cert,
    key,
    ...(serverName === undefined
      ? {}
      : { checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(serverName, certificate) }),
  };
}

/** What PostgreSQL (by SQLSTATE) or the network says, and the way out. */
const REASONS: readonly [code: string, reason: string, explain: (input: PostgresStore) => string][] = [
  [
    '28P01',
    'wrong-password',
    (i) => `refuses the password of user "${i.user}"; correct the secret that "password" names`,
  ],
  [
    '28000',
    'not-admitted',
    (i) => `does not admit user "${i.user}" from this worker; allow it in pg_hba.conf, or set "tls" if it demands TLS`,
  ],
  [
    '3D000',
    'no-database',
    (i) => `has no database "${i.database}"; correct "database", or look which one the server's configuration names`,
  ],
  [
    '42501',
    'no-rights',
    (i) => `gives user "${i.user}" no right to read it; use the user of the Temporal server, or grant the right`,
  ],
  ['53300', 'too-many-connections', () => 'has no connection left; raise max_connections or lower the pools of others'],
  ['57P03', 'starting', () => 'is starting or stopping; wait until it accepts connections'],
  [
    '57014',
    'timeout',
    () => `did not answer a question within ${STATEMENT_TIMEOUT_MS / 1_000} s; look for locks and load`,
  ],
];

function asPreconditionError(error: unknown, input: PostgresStore): unknown {
  if (error instanceof PreconditionError) return error;
  const { host, port, database, user } = input;
  const where = `PostgreSQL at ${host}:${port} (database "${database}", user "${user}")`;
  const facts = { host, port, database, user };
  const code = codeOf(error);
  const known = REASONS.find(([sqlState]) => sqlState === code);
  if (known !== undefined) {
    const [, reason, explain] = known;
    return new PreconditionError(
      `${where} ${explain(input)} (${messageOf(error)})`,
      { ...facts, reason },
      { cause: error },
    );
  }
  if (error instanceof pg.DatabaseError) {
    return new PreconditionError(
      `${where} answers: ${error.message}`,
      { ...facts, reason: 'refused' },
      { cause: error },
    );
  }
  const message = messageOf(error);
  if (/password must be a (non-empty )?string|SASL/.test(message)) {
    return new PreconditionError(
      `${where} asks for a password and ${input.password === undefined ? 'the input names none; set "password"' : 'the secret is empty; correct it'}`,
      { ...facts, reason: 'wrong-password' },
      { cause: error },
    );
  }
  if (/SSL|TLS|certificate|altnames/i.test(message)) {
    return new PreconditionError(
      `${where} cannot be reached with these TLS settings: ${message}; correct "tls" of the store`,
      { ...facts, reason: 'tls' },
      { cause: error },
    );
  }
  return new PreconditionError(
    `${where} cannot be reached: ${message || code}; is it running, and is the way open from the host of this worker?`,
    { ...facts, reason: 'unreachable' },
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  // Node joins the refusals of several addresses of one name into an AggregateError with the code of the first.
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
