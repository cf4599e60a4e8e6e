import { expect, test } from '@jest/globals';
import { hasProcedure, removesOrRewrites } from '../../src/catalogue-builder/statement-effects.js';

test.each([
  ['ALTER TABLE cluster_metadata DROP immutable_data;', ['DROP IMMUTABLE_DATA']],
  ['alter table t drop   column a, alter column b type text;', ['ALTER COLUMN', 'DROP COLUMN']],
  ['ALTER TABLE t MODIFY COLUMN a BLOB; DROP INDEX i ON t; DROP INDEX j ON t;', ['DROP INDEX', 'MODIFY COLUMN']],
  [
    'DROP TABLE IF EXISTS t; TRUNCATE u; DELETE FROM v; UPDATE w SET a = 1;',
    ['DELETE FROM', 'DROP TABLE', 'TRUNCATE', 'UPDATE'],
  ],
  ['-- Drop existing indexes\nCREATE INDEX i ON t (a);', []],
  ["INSERT INTO t VALUES ('DROP TABLE t');", []],
  ['ALTER TABLE t ALTER a DROP NOT NULL, ADD COLUMN b TEXT;', []],
  ["DO $$ BEGIN EXECUTE 'DROP INDEX i'; END $$;", []],
])('%s', (script, found) => {
  expect(removesOrRewrites([script])).toEqual(found);
});

test('procedural code is said to be there', () => {
  expect(hasProcedure(["CREATE TABLE t (a int); DO LANGUAGE 'plpgsql' $$ BEGIN END $$;"])).toBe(true);
  expect(hasProcedure(['CREATE FUNCTION f() AS $$ DO $$;'])).toBe(false);
});
