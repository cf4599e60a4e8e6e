import type pg from 'pg';
import type { StoreRights, TableRights } from '../../core/survey/store-survey.js';

/** Rights of this user on the tables of a schema, read from the catalogs. */
export async function readRights(client: pg.Client, schema: string): Promise<StoreRights> {
  const { rows } = await client.query<{
    user: string;
    can_create: boolean;
    tables: TableRights[];
    sequences: string[];
  }>(
    `select current_user as user, has_schema_privilege(n.oid, 'CREATE') as can_create,
            coalesce((select json_agg(json_build_object(
                'table', c.relname, 'owner', pg_get_userbyid(c.relowner),
                'canAlter', pg_has_role(c.relowner, 'USAGE'),
                'canRead', has_table_privilege(c.oid, 'SELECT'),
                'canWrite', has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE'))
                order by c.relname collate "C")
              from pg_class c
             where c.relnamespace = n.oid and c.relkind in ('r', 'p') and not c.relispartition), '[]') as tables,
            array(select c.relname::text from pg_class c
                   where c.relnamespace = n.oid and c.relkind = 'S' and not has_table_privilege(c.oid, 'SELECT')
                   order by 1) as sequences
       from pg_namespace n where n.nspname = $1`,
    [schema],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`there is no schema ${schema}`);
  return {
    user: row.user,
    schema,
    canCreateInSchema: row.can_create,
    tables: row.tables,
    unreadableSequences: row.sequences,
  };
}
