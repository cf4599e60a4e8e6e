import { expect, test } from '@jest/globals';
import { splitStatements } from '../../src/catalogue-builder/split-statements.js';

test.each([
  ['two statements', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
  ['the last one without a semicolon', 'SELECT 1;\n SELECT 2\n', ['SELECT 1', 'SELECT 2']],
  ['comments', '-- one; two\nSELECT 1; /* three; */ SELECT -- four;\n 2', ['SELECT 1', 'SELECT  \n 2']],
  ['a semicolon in quotes', `SELECT ';''--', ";"; SELECT 2`, [`SELECT ';''--', ";"`, 'SELECT 2']],
  ['a body in dollars', 'DO $$ BEGIN; END; $$; SELECT $a$;$$;$a$', ['DO $$ BEGIN; END; $$', 'SELECT $a$;$$;$a$']],
  ['nothing', '-- only a comment\n;;\n', []],
])('splits %s', (_, script, statements) => {
  expect(splitStatements(script)).toEqual(statements);
});
