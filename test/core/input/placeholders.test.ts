import { expect, test } from '@jest/globals';
import { fillPlaceholders, placeholderProblem, placeholdersIn } from '../../../src/core/input/placeholders.js';

test('a word in braces is a placeholder; JSON and templates of other languages stay as they are', () => {
  expect(placeholdersIn('/opt/{version}/{node}')).toEqual(['version', 'node']);
  expect(placeholdersIn('{"a": 1} {{.Names}} {} ${A_B} {1}')).toEqual([]);
});

test('fills in what it is given, everywhere, and nothing else', () => {
  const values = { node: 'history-1', version: '1.30.7' };
  expect(fillPlaceholders('{node}-{version}-{node} {role} {constructor} {"v": "{version}"}', values)).toBe(
    'history-1-1.30.7-history-1 {role} {constructor} {"v": "1.30.7"}',
  );
  expect(fillPlaceholders('{node}', { node: '{version}', version: 'x' })).toBe('{version}');
});

test('a placeholder that is not there is told, and one that is missing', () => {
  const rule = { allowed: ['node', 'version'], needed: 'version' } as const;
  expect(placeholderProblem(['start', '{node}', '{version}'], rule)).toBeUndefined();
  expect(placeholderProblem(['{verison}'], rule)).toBe('{verison} is no placeholder here; there are {node}, {version}');
  expect(placeholderProblem(['{node}'], rule)).toBe('has to name {version}, or every version would be the same');
});
