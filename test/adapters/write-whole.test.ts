import { expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { READABLE, writeWhole } from '../../src/adapters/write-whole.js';

test('a file is replaced whole, nothing is left beside it, and only its owner may read it unless that is wanted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'write-whole-'));
  try {
    const file = join(folder, 'file');
    await writeWhole(file, 'one');
    await writeWhole(file, 'two');
    expect(await readFile(file, 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['file']);
    const modeOf = async () => (await stat(file)).mode & 0o777;
    expect(await modeOf()).toBe(0o600);
    await writeWhole(file, 'three', READABLE);
    expect(await modeOf()).toBe(0o666 & ~process.umask());
  } finally {
    await rm(folder, { recursive: true });
  }
});
