import { expect, test } from '@jest/globals';
import { decodeShardRow } from '../../../src/adapters/store-parts/shard-row.js';
import { SHARD_INFO } from '../../helpers/shard-rows.js';

/** Another of that database. */
const SECOND =
  'CAIQARo2MTI3LjAuMC4xOjE3MjM0LTYtMDJlYzU3MzItMzRhNC00MGMxLWE4NmItYjBlZTk3MzMyOGY0OgwI9oKG2AYQ85ClogKKARQIAhIQEg4KDAjagobYBhDAkpSXAQ==';

const row = (shardId: number, base64: string, encoding = 'Proto3') => ({
  shard_id: shardId,
  range_id: '7',
  data: Buffer.from(base64, 'base64'),
  data_encoding: encoding,
});

test('decodes owner and time of rows that a server wrote', () => {
  expect(decodeShardRow(row(1, SHARD_INFO))).toEqual({
    shardId: 1,
    rangeId: '7',
    owner: '127.0.0.1:17234-10-e198ef4c-4cac-484f-852a-5d5f46a7a2e8',
    updatedAt: '2026-11-21T11:33:07.108Z',
  });
  expect(decodeShardRow(row(2, SECOND))).toMatchObject({
    owner: '127.0.0.1:17234-6-02ec5732-34a4-40c1-a86b-b0ee973328f4',
    updatedAt: '2026-11-21T11:33:10.608Z',
  });
});

test('decodes 16,384 rows at once', () => {
  const rows = Array.from({ length: 16_384 }, (_, index) => decodeShardRow(row(index + 1, SHARD_INFO)));
  expect(rows.at(-1)).toMatchObject({ shardId: 16_384, owner: expect.stringContaining('127.0.0.1:17234') });
});

test('refuses an encoding that it does not know', () => {
  expect(() => decodeShardRow(row(3, SHARD_INFO, 'Json'))).toThrow('shard 3 is written as "Json"');
});
