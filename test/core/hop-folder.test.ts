import { expect, test } from '@jest/globals';
import { nameOfHopFolder, parseHopFolder } from '../../src/core/hop-folder.js';
import { markOfRun } from '../../src/core/run-mark.js';

const HOP = { environment: 'live', from: '1.30.7', to: '1.31.2', attempt: 12 } as const;

test('a folder of a hop is read as it was named', () => {
  const hop = { ...HOP, run: markOfRun('01a22dd0-439e-7e5a-a215-9695d457f0e5') };
  expect(nameOfHopFolder(hop)).toBe('live-1.30.7-to-1.31.2-12-d457f0e5');
  expect(parseHopFolder(nameOfHopFolder(hop))).toEqual(hop);
});

test('one of an earlier release, which had no mark of its roll-out, is read too', () => {
  expect(nameOfHopFolder(HOP)).toBe('live-1.30.7-to-1.31.2-12');
  expect(parseHopFolder(nameOfHopFolder(HOP))).toEqual(HOP);
});

test.each(['live', 'test-1.30.7-to-1.31.2-1', 'live-1.30.7-to-1.31.2', 'live-1.30.7-to-1.31.2-1-old', ''])(
  '"%s" is none of a hop',
  (name) => expect(parseHopFolder(name)).toBeUndefined(),
);
