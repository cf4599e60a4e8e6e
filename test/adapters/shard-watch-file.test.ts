import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ShardWatchFile } from '../../src/adapters/shard-watch-file.js';
import type { ShardRow } from '../../src/core/cluster.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shard-watch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const row = (shardId: number, minute: number): ShardRow => ({
  shardId,
  rangeId: '7',
  owner: `10.0.0.${shardId}:7234-1-uuid`,
  updatedAt: `2026-01-01T10:0${minute}:00.000Z`,
});
const linesOf = async (file: string) => (await readFile(file, 'utf8')).split('\n').slice(0, -1);

test('whoever opens the file again knows what was seen, and only changes were written', async () => {
  const file = join(folder, 'again.jsonl');
  const first = await ShardWatchFile.open(file);
  await first.add([row(1, 0), row(2, 0)], 1_000);
  await first.add([row(1, 0), row(2, 1)], 2_000);
  const seen = await first.add([row(1, 0), row(2, 1)], 3_000);
  expect(await linesOf(file)).toHaveLength(3);
  expect((await linesOf(file))[1]).toBe(
    '{"at":2000,"rows":[[2,"7","10.0.0.2:7234-1-uuid","2026-01-01T10:01:00.000Z"]]}',
  );

  const again = await ShardWatchFile.open(file);
  const more = await again.add([row(1, 0), row(2, 2)], 4_000);
  expect(seen.shards.get(2)).toMatchObject({ updates: 1 });
  expect(more).toMatchObject({ since: 1_000, at: 4_000 });
  expect(more.shards.get(2)).toMatchObject({ updates: 2, ownerSince: 1_000, changes: 0 });
});

test('killed in the middle of a line: it is cut off, and what it said is seen anew', async () => {
  const file = join(folder, 'torn.jsonl');
  const first = await ShardWatchFile.open(file);
  await first.add([row(1, 0)], 1_000);
  await appendFile(file, '{"at":2000,"rows":[[1,"7","10.0.0.1:72');
  const again = await ShardWatchFile.open(file);
  expect(await linesOf(file)).toHaveLength(1);
  const seen = await again.add([row(1, 1)], 3_000);
  expect(seen.shards.get(1)).toMatchObject({ updates: 1, ownerSince: 1_000 });
  expect(await linesOf(file)).toHaveLength(2);
});

test('what stands behind a line that cannot be read is not believed', async () => {
  const file = join(folder, 'odd.jsonl');
  const first = await ShardWatchFile.open(file);
  await first.add([row(1, 0)], 1_000);
  await appendFile(file, 'no line\n{"at":9000,"rows":[]}\n');
  const again = await ShardWatchFile.open(file);
  expect(await again.add([row(1, 0)], 2_000)).toMatchObject({ since: 1_000, at: 2_000 });
  expect(await linesOf(file)).toHaveLength(2);
});

test('an empty file is none', async () => {
  const file = join(folder, 'empty.jsonl');
  await writeFile(file, '');
  const watch = await (await ShardWatchFile.open(file)).add([row(1, 0)], 1_000);
  expect(watch).toMatchObject({ since: 1_000 });
});

test('16,384 shards are kept and read again', async () => {
  const file = join(folder, 'many.jsonl');
  const first = await ShardWatchFile.open(file);
  const rows = (minute: number) => Array.from({ length: 16_384 }, (_, index) => row(index + 1, minute));
  await first.add(rows(0), 1_000);
  await first.add(rows(1), 2_000);
  const again = await ShardWatchFile.open(file);
  const watch = await again.add(rows(2), 3_000);
  expect(watch.shards.size).toBe(16_384);
  expect([...watch.shards.values()].every(({ updates }) => updates === 2)).toBe(true);
});
