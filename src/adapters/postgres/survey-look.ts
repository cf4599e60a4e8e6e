import type pg from 'pg';
import { codeOf, messageOf } from '../../core/errors.js';
import type { Seen } from '../../core/survey/seen.js';

/** A survey is read from catalogs and small tables; what takes longer is stuck behind something. */
const STATEMENT_TIMEOUT_MS = 2_000;
/** Whoever waits for a lock also makes others wait behind it. */
const LOCK_TIMEOUT_MS = 500;

const BEGIN =
  `begin isolation level repeatable read read only; set local statement_timeout = ${STATEMENT_TIMEOUT_MS}; ` +
  `set local lock_timeout = ${LOCK_TIMEOUT_MS}`;

/** Asks one question; an answer that is an error is `unseen` with its reason. */
export type Look = <T>(question: (client: pg.Client) => Promise<T>) => Promise<Seen<T>>;

/** Runs `work` with questions that can change nothing, in one transaction, begun anew after a question that failed. */
export async function looking<T>(client: pg.Client, work: (look: Look) => Promise<T>): Promise<T> {
  let lost: string | undefined;
  await client.query(BEGIN);
  const look: Look = async (question) => {
    if (lost !== undefined) return { unseen: lost };
    try {
      return { seen: await question(client) };
    } catch (error) {
      await client.query(`rollback; ${BEGIN}`).catch((failure: unknown) => {
        lost = `the connection was lost: ${messageOf(failure)}`;
      });
      return { unseen: reasonOf(error) };
    }
  };
  const result = await work(look);
  if (lost === undefined) await client.query('rollback').catch(() => undefined);
  return result;
}

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  switch (codeOf(error)) {
    case '55P03':
      return `another session holds a lock that stands in the way (${message})`;
    case '57014':
      return `the database did not answer within ${STATEMENT_TIMEOUT_MS} ms (${message})`;
    case '42501':
      return `this user has no right to see it (${message})`;
    default:
      return message;
  }
}
