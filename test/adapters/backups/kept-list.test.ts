import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keptListPath, unlessKept, type KeptList } from '../../../src/adapters/backups/kept-list.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-list-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a backup of what was there before a restore is not made again once it is kept: it would be of what was restored', async () => {
  const file = join(folder, 'temporal-before-restore-20260101100000.dump');
  const made: string[] = [];
  const make = (text: string) => () => Promise.resolve(made.push(text));
  await unlessKept(file, make('as nothing is there'));
  await writeFile(file, 'all of it');
  await unlessKept(file, make('as it is not kept yet: the store looks whether it is whole'));
  await rm(file); // encrypted, or in an object store
  const facts = { bytes: 9, sha256: 'a' };
  const name = 'temporal-before-restore-20260101100000.dump';
  const list: KeptList = {
    backup: { ...facts, entries: 1 },
    encrypted: true,
    files: [{ name, plain: facts, kept: facts }],
  };
  await writeFile(keptListPath(file), JSON.stringify(list));
  await unlessKept(file, make('as it is kept'));
  expect(made).toHaveLength(2);
});
