import { codeOf, messageOf } from '../../core/errors.js';
import type { Seen } from '../../core/survey/seen.js';
import type { MysqlClient } from './mysql-connection.js';

/** A survey is read from catalogs and small tables; what takes longer is stuck behind something. */
export const QUESTION_TIMEOUT_MS = 2_000;

/** Asks one question; an answer that is an error is `unseen` with its reason. */
export type Look = <T>(question: (client: MysqlClient) => Promise<T>) => Promise<Seen<T>>;

/** Questions on one connection, which can change nothing. A connection that was lost is not found again. */
export async function looking<T>(client: MysqlClient, work: (look: Look) => Promise<T>): Promise<T> {
  await client.act('set session transaction read only');
  let lost: string | undefined;
  return work(async (question) => {
    if (lost !== undefined) return { unseen: lost };
    try {
      return { seen: await question(client) };
    } catch (error) {
      // The library gives a connection up whose answer did not come in time.
      if (isFatal(error)) lost = `the connection was lost: ${messageOf(error)}`;
      return { unseen: reasonOf(error) };
    }
  });
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && 'fatal' in error && error.fatal === true;
}

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  switch (codeOf(error)) {
    case 'ER_LOCK_WAIT_TIMEOUT':
      return `another session holds a lock that stands in the way (${message})`;
    case 'PROTOCOL_SEQUENCE_TIMEOUT':
    case 'ER_QUERY_TIMEOUT':
      return `the database did not answer within ${QUESTION_TIMEOUT_MS} ms (${message})`;
    case 'ER_TABLEACCESS_DENIED_ERROR':
    case 'ER_SPECIFIC_ACCESS_DENIED_ERROR':
    case 'ER_DBACCESS_DENIED_ERROR':
      return `this user has no right to see it (${message})`;
    default:
      return message;
  }
}
