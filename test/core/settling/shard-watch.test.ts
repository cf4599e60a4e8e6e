import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ShardRow } from '../../../src/core/cluster.js';
import { changedRows, watchShards, type ShardWatch } from '../../../src/core/settling/shard-watch.js';
import { readWatchLine, watchLine } from '../../../src/core/settling/watch-line.js';

const SECOND = 1_000;
const timeOf = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * SECOND).toISOString();
const row = (changes: Partial<ShardRow> = {}): ShardRow => ({
  shardId: 1,
  rangeId: '7',
  owner: '10.0.0.1:7234-1-uuid-a',
  updatedAt: timeOf(0),
  ...changes,
});

/** What is known of shard 1 after these looks, ten seconds apart. */
function afterLooks(...looks: readonly (Partial<ShardRow> | undefined)[]) {
  let watch: ShardWatch | undefined;
  for (const [index, changes] of looks.entries()) {
    watch = watchShards(watch, changes === undefined ? [] : [row(changes)], index * 10 * SECOND);
  }
  return watch?.shards.get(1);
}

describe('a shard that is looked at again', () => {
  const again = { owner: '10.0.0.1:7234-2-uuid-b', rangeId: '8' };
  test.each<[string, ReturnType<typeof afterLooks>, object]>([
    ['is first seen', afterLooks({}), { ownerSince: 0, changes: 0, updates: 0 }],
    ['is as it was', afterLooks({}, {}), { ownerSince: 0, changes: 0, updates: 0 }],
    ['was written', afterLooks({}, { updatedAt: timeOf(5) }), { ownerSince: 0, changes: 0, updates: 1 }],
    [
      'was written twice',
      afterLooks({}, { updatedAt: timeOf(5) }, { updatedAt: timeOf(15) }),
      { ownerSince: 0, changes: 0, updates: 2 },
    ],
    ['was not looked at', afterLooks({}, undefined), { ownerSince: 0, changes: 0, updates: 0 }],
    ['has another owner', afterLooks({}, again), { ownerSince: 10_000, changes: 1, updates: 0 }],
    [
      'has another owner, whose first write is that by which it took it',
      afterLooks({ updatedAt: timeOf(0) }, { ...again, updatedAt: timeOf(5) }),
      { changes: 1, updates: 0 },
    ],
    [
      'was taken away and came back to the same process',
      afterLooks({}, { owner: '10.0.0.2:7234-1-uuid-c' }, again),
      { ownerSince: 20_000, changes: 2, updates: 0 },
    ],
    ['used up its block of task ids', afterLooks({}, { rangeId: '8' }), { ownerSince: 0, changes: 0, updates: 0 }],
    [
      'has an owner text of 1.20, and was taken or used up its block: nobody can tell',
      afterLooks({ owner: '10.0.0.1:7234' }, { owner: '10.0.0.1:7234', rangeId: '8' }),
      { ownerSince: 10_000, changes: 1 },
    ],
    ['has a time that went back', afterLooks({ updatedAt: timeOf(9) }, { updatedAt: timeOf(5) }), { updates: 0 }],
    ['has no time', afterLooks({}, { updatedAt: '' }), { updates: 0 }],
  ])('%s', (_, seen, expected) => {
    expect(seen).toMatchObject(expected);
  });
});

test('a clock that was put back does not make a look older', () => {
  const first = watchShards(undefined, [row()], 60_000);
  expect(watchShards(first, [], 1_000)).toMatchObject({ since: 60_000, at: 60_000 });
});

test('lines that are none are none', () => {
  for (const text of ['', '{}', 'null', '{"at":1,"rows":[[1]]}', '{"at":1,"rows":[', '{"at":"1","rows":[]}', '[]'])
    expect(readWatchLine(text)).toBeUndefined();
  expect(readWatchLine(watchLine(5, [row()]))).toEqual({ at: 5, rows: [row()] });
});

const anyRow = fc.record({
  shardId: fc.integer({ min: 1, max: 4 }),
  rangeId: fc.integer({ min: 1, max: 3 }).map(String),
  owner: fc.constantFrom('10.0.0.1:7234-1-a', '10.0.0.1:7234-2-b', '10.0.0.2:7234-1-c', '10.0.0.3:7234'),
  updatedAt: fc.integer({ min: 0, max: 5 }).map(timeOf),
});
const anyLooks = fc.array(fc.uniqueArray(anyRow, { selector: ({ shardId }) => shardId }), { maxLength: 12 });
const inOrder = (looks: readonly (readonly ShardRow[])[]) =>
  looks.map((rows, index) => ({ rows, at: index * 10 * SECOND }));

test('what is read from the lines of changed rows is what was seen, wherever it was cut', () => {
  fc.assert(
    fc.property(anyLooks, fc.nat(), (looks, cut) => {
      let direct: ShardWatch | undefined;
      const lines: string[] = [];
      for (const { rows, at } of inOrder(looks)) {
        lines.push(watchLine(at, changedRows(direct, rows)));
        direct = watchShards(direct, rows, at);
      }
      let read: ShardWatch | undefined;
      const readAll = (some: readonly string[]) => {
        for (const line of some) {
          const look = readWatchLine(line);
          if (look !== undefined) read = watchShards(read, look.rows, look.at);
        }
      };
      const at = lines.length === 0 ? 0 : cut % lines.length;
      readAll(lines.slice(0, at));
      readAll(lines.slice(at));
      expect(read).toEqual(direct);
    }),
  );
});

test('an owner that is seen to change is never older than that look, and its writes are counted anew', () => {
  fc.assert(
    fc.property(anyLooks, (looks) => {
      let before: ShardWatch | undefined;
      for (const { rows, at } of inOrder(looks)) {
        const after = watchShards(before, rows, at);
        for (const { shardId, owner } of rows) {
          const known = before?.shards.get(shardId);
          if (known === undefined || known.row.owner === owner) continue;
          expect(after.shards.get(shardId)).toMatchObject({ ownerSince: at, updates: 0, changes: known.changes + 1 });
        }
        before = after;
      }
    }),
  );
});
