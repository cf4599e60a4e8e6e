import { expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readZip } from '../../src/catalogue-builder/read-zip.js';
import { runCommand } from '../../src/adapters/run-command.js';

test('reads what Python packed, and only what is wanted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-zip-'));
  try {
    await writeFile(join(folder, 'a.txt'), 'ä small file\n');
    await writeFile(join(folder, 'b.txt'), 'many lines\n'.repeat(10_000)); // so that it is packed
    await writeFile(join(folder, 'c.bin'), 'not wanted');
    const names = ['a.txt', 'b.txt', 'c.bin'];
    await runCommand('python3', ['-m', 'zipfile', '-c', 'all.zip', ...names], { cwd: folder });
    const archive = await readFile(join(folder, 'all.zip'));
    expect(archive.length).toBeLessThan(5_000);
    const files = readZip(archive, (path) => path.endsWith('.txt'));
    expect([...files.keys()]).toEqual(['a.txt', 'b.txt']);
    expect(files.get('a.txt')).toBe('ä small file\n');
    expect(files.get('b.txt')).toHaveLength(110_000);
    expect(() => readZip(archive.subarray(0, archive.length - 30), () => true)).toThrow('not a zip archive');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
