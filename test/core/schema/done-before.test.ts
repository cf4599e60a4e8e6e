import { expect, test } from '@jest/globals';
import {
  isDoneBeforeOnCassandra,
  isDoneBeforeOnMysql,
  isDoneBeforeOnPostgres,
} from '../../../src/core/schema/done-before.js';

/** What the drivers of the schema tools say: go-sql-driver/mysql, with and without the SQL state, pq and pgx, and gocql. */

test.each([
  "Error 1050 (42S01): Table 'task_queue_user_data' already exists",
  "Error 1050: Table 'task_queue_user_data' already exists",
  "Error 1051 (42S02): Unknown table 'temporal.old'",
  "Error 1060 (42S21): Duplicate column name 'history_length'",
  "Error 1061 (42000): Duplicate key name 'by_type'",
  "Error 1091 (42000): Can't DROP 'by_type'; check that column/key exists",
])('MySQL: %s', (said) => {
  expect(isDoneBeforeOnMysql(said)).toBe(true);
});

test.each([
  'Cannot add already existing table "task_queue_user_data" to keyspace "temporal"',
  "Column with name 'owner' already exists",
  'Invalid column name owner because it conflicts with an existing column',
  'A user type with name "ids" already exists',
  "Table 'temporal.old' doesn't exist",
  'Column owner was not found in table temporal.queue',
  'unconfigured table old',
])('Cassandra: %s', (said) => {
  expect(isDoneBeforeOnCassandra(said)).toBe(true);
});

test.each([
  'pq: table "nexus_incoming_services" does not exist',
  'error executing statement: pq: index \\"by_root_run_id\\" does not exist","logging-call-at":"…"}',
  'ERROR: column "data_encoding" of relation "current_executions" does not exist (SQLSTATE 42703)',
])('PostgreSQL: %s', (said) => {
  expect(isDoneBeforeOnPostgres(said, true)).toBe(true);
});

test('PostgreSQL: what is there already stops old tools alone, the others mention it', () => {
  const said = 'pq: relation "task_queue_user_data" already exists';
  expect([isDoneBeforeOnPostgres(said, false), isDoneBeforeOnPostgres(said, true)]).toEqual([true, false]);
});

test.each(['pq: database "temporal" does not exist', 'pq: relation "schema_version" does not exist'])(
  'PostgreSQL: %s is another fault',
  (said) => {
    expect(isDoneBeforeOnPostgres(said, false)).toBe(false);
  },
);

test.each([
  "Error 1045 (28000): Access denied for user 'temporal'@'db'",
  'Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction',
  'gocql: no response received from cassandra within timeout period',
  'no hosts available in the pool',
  'User temporal has no ALTER permission on <keyspace temporal> or any of its parents',
])('another fault is none of these: %s', (said) => {
  expect(isDoneBeforeOnMysql(said) || isDoneBeforeOnCassandra(said)).toBe(false);
});
