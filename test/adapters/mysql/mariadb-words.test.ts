import { expect, test } from '@jest/globals';
import { constantOfMariadb } from '../../../src/adapters/mysql/mariadb-words.js';

test.each([
  [null, null],
  ['NULL', null],
  ["'NULL'", 'NULL'],
  ["''", ''],
  ["'Proto3'", 'Proto3'],
  ["'1970-01-02 00:00:01'", '1970-01-02 00:00:01'],
  ["'it''s'", "it's"],
  ['0', '0'],
  ['current_timestamp()', 'current_timestamp()'],
])('a default of %s is told by MySQL as %s', (told, wanted) => expect(constantOfMariadb(told)).toBe(wanted));
