import type pg from 'pg';

/** What tells whether the contents of a store are all there; those of the other store are not in it. */
const COUNTED = ['shards', 'namespaces', 'executions', 'history_node', 'executions_visibility'];
/** No question of this kind is ever worth giving up: it reads a table to its end. */
const NO_END_MS = 24 * 3_600_000;

/** A question that may take hours, on a connection whose questions are short otherwise. */
export async function askLong<T extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  // Of pg, though its types do not say so: in place of the connection's own.
  const query = { text, values: [...values], query_timeout: NO_END_MS };
  return (await client.query<T>(query)).rows;
}

/** Rows of the tables by which a restored store is held against its backup. */
export async function countRows(client: pg.Client): Promise<Record<string, number>> {
  const { rows: tables } = await client.query<{ table: string }>(
    'select t.name as table from unnest($1::text[]) with ordinality as t (name, nr) where to_regclass(t.name) is not null order by t.nr',
    [COUNTED],
  );
  const counts: Record<string, number> = {};
  for (const { table } of tables) {
    const rows = await askLong<{ n: string }>(client, `select count(*) as n from ${client.escapeIdentifier(table)}`);
    counts[table] = Number(rows[0]?.n);
  }
  return counts;
}

/**
 * Reads one question page by page within a transaction, so that memory does not grow with the number of rows. The caller has set
 * the connection to no time limit of statements.
 */
export async function* readPages<T extends pg.QueryResultRow>(
  client: pg.Client,
  question: string,
): AsyncGenerator<T[]> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await askLong(client, `declare pages no scroll cursor for ${question}`);
    for (;;) {
      const rows = await askLong<T>(client, 'fetch 2000 from pages');
      if (rows.length === 0) return;
      yield rows;
    }
  } finally {
    await client.query('rollback').catch(() => undefined); // a connection that broke has said so already
  }
}

/** Lets the statements of this connection last as long as they need. */
export async function withoutTimeLimit(client: pg.Client): Promise<void> {
  await client.query('set statement_timeout = 0');
  await client.query('set idle_in_transaction_session_timeout = 0');
}
