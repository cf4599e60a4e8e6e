/**
 * Condition for rows of `pg_stat_activity` that are connections of clients. Those of others have no `backend_type` for a user
 * without the role `pg_read_all_stats`, but their database; workers of the server have a type that everybody sees, or none.
 */
export const IS_CLIENT = `datid is not null and coalesce(backend_type, 'client backend') = 'client backend'`;

/** How many connections nobody but administrators gets; `reserved_connections` is there from PostgreSQL 16 on. */
export const RESERVED = `current_setting('superuser_reserved_connections')::int
  + coalesce(current_setting('reserved_connections', true)::int, 0)`;
