import { expect, test } from '@jest/globals';
import { nameOfHopFolder, parseHopFolder } from '../../src/core/hop-folder.js';

test('a folder of a hop is read as it was named', () => {
  const hop = { environment: 'live', from: '1.30.7', to: '1.31.2', attempt: 12 } as const;
  expect(nameOfHopFolder(hop)).toBe('live-1.30.7-to-1.31.2-12');
  expect(parseHopFolder(nameOfHopFolder(hop))).toEqual(hop);
});

test.each(['live', 'test-1.30.7-to-1.31.2-1', 'live-1.30.7-to-1.31.2', 'live-1.30.7-to-1.31.2-1-old', ''])(
  '"%s" is none of a hop',
  (name) => expect(parseHopFolder(name)).toBeUndefined(),
);
