import { expect, test } from '@jest/globals';
import { startErrorsIn } from '../../../src/core/survey/start-errors.js';

test.each([
  [
    'schema-behind',
    'error: unable to start: sql schema version compatibility check failed: version mismatch for keyspace/database: "temporal". Expected version: 1.19 cannot be greater than Actual version: 1.18',
  ],
  ['schema-unreadable', 'unable to read DB schema version keyspace/database: temporal error: relation does not exist'],
  ['database-rights', 'error: sql: pq: password authentication failed for user "temporal"'],
  ['database-unreachable', 'error: persistence: dial tcp 127.0.0.1:5432: connect: connection refused'],
  ['port-taken', 'fatal: listen tcp 127.0.0.1:7233: bind: address already in use'],
  [
    'database-unreachable',
    'unable to read DB schema version keyspace/database: temporal error: no usable database connection found.',
  ],
  ['plugin', 'check failed: plugin not supported: unknown plugin "postgres", supported plugins: [mysql8 postgres12]'],
  ['configuration', 'Unable to load configuration: yaml: line 76: did not find expected node content.'],
  ['configuration', 'config file corrupted: yaml: line 3: did not find expected key'],
])('knows %s', (cause, line) => {
  expect(startErrorsIn(`info: starting\n${line}\ninfo: stopped`)).toMatchObject([{ cause }]);
});

test('takes the last of each cause, and nothing of a log without any', () => {
  const [first, last] = ['1.17', '1.18'].map(
    (version) => `Expected version: 1.19 cannot be greater than Actual version: ${version}`,
  );
  expect(startErrorsIn(`${first}\n${last}\nbind: address already in use`)).toEqual([
    { cause: 'schema-behind', text: last },
    { cause: 'port-taken', text: 'bind: address already in use' },
  ]);
  expect(startErrorsIn('info: all is well\nerror: ring: connection refused')).toEqual([]);
});

test('of a long line, keeps what counts', () => {
  const words = 'Expected version: 1.19 cannot be greater than Actual version: 1.18';
  const [error] = startErrorsIn(
    `${'could not build arguments for function '.repeat(40)}${words}. ${'more '.repeat(90)}`,
  );
  expect(error?.text).toContain(words);
  expect(error?.text).toMatch(/^… .* …$/);
  expect(error?.text.length).toBeLessThan(400);
});
