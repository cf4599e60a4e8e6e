import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashAt, hashBefore, hashScripts, noteHash } from '../../src/catalogue-builder/script-hashes.js';

test('a hash is of what is done: comments and white space are all the same to it', () => {
  const hash = (script: string) => hashScripts({ scripts: [script] });
  expect(hash('CREATE TABLE t (a int);')).toBe(hash('-- a table\nCREATE  TABLE t\n(a int)\n;\n'));
  expect(hash('CREATE TABLE t (a int);')).not.toBe(hash('CREATE TABLE t (b int);'));
});

test('a history keeps what every release had, in whatever order they are read', () => {
  const releases = ['1.1.0', '1.1.1', '1.2.0', '1.2.1', '1.10.0'];
  const hashes = fc.array(fc.constantFrom('aa', 'bb'), { minLength: 5, maxLength: 5 });
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
  fc.assert(
    fc.property(hashes, order, (had, read) => {
      let history = '';
      const seen: string[] = [];
      for (const index of read) {
        const version = releases[index] ?? '';
        // Of the releases that the catalogue knows, which are those read before: the next one keeps its hash.
        const next = releases.find((each, position) => position > index && seen.includes(each));
        history = noteHash(history, { version, hash: had[index] ?? '', next });
        seen.push(version);
      }
      expect(releases.map((release) => hashAt(history, release))).toEqual(had);
    }),
  );
});

test('is short, and tells what was before a release', () => {
  const noted = noteHash('1.30.0 aa', { version: '1.30.5', hash: 'bb', next: undefined });
  expect(noted).toBe('1.30.0 aa, 1.30.5 bb');
  expect(noteHash(noted, { version: '1.30.6', hash: 'bb', next: undefined })).toBe(noted);
  expect(hashBefore(noted, '1.30.5')).toBe('aa');
  expect(hashBefore(noted, '1.30.0')).toBeUndefined();
});
