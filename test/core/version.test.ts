import { expect, test } from '@jest/globals';
import { compareSchemaVersions, compareVersions, isMinor, isServerVersion, minorOf } from '../../src/core/version.js';

test.each([
  ['1.28.1', true],
  ['1.28', false],
  ['v1.28.1', false],
  ['1.28.1-rc.1', false],
  ['1.29.6.1', false],
  ['01.2.3', false],
  ['', false],
])('%j is a server version in full: %s', (text, expected) => {
  expect(isServerVersion(text)).toBe(expected);
});

test.each([
  ['1.28', true],
  ['1.28.1', false],
  ['1', false],
])('%j is a minor: %s', (text, expected) => {
  expect(isMinor(text)).toBe(expected);
});

test('the minor of a version', () => {
  expect([minorOf('1.28.1'), minorOf('1.28')]).toEqual(['1.28', '1.28']);
});

test.each([
  ['1.9', '1.10'],
  ['1.28.9', '1.28.10'],
  ['1.28', '1.28.1'],
])('%s is before %s', (a, b) => {
  expect(compareVersions(a, b)).toBeLessThan(0);
  expect(compareVersions(b, a)).toBeGreaterThan(0);
});

test('schema versions compare by number, templates of Elasticsearch too', () => {
  expect(compareSchemaVersions('1.9', '1.13')).toBeLessThan(0);
  expect(compareSchemaVersions('v9', 'v13')).toBeLessThan(0);
  expect(compareSchemaVersions('1.13', '1.13')).toBe(0);
  expect(() => compareSchemaVersions('x', '1.1')).toThrow(TypeError);
});
