import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { followFile } from '../../src/adapters/follow-file.js';

test('gives what is there, what comes, and ends when no more will come', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'follow-file-'));
  try {
    const file = join(folder, 'growing');
    await writeFile(file, 'first ');
    let ended = false;
    let text = '';
    for await (const chunk of followFile(file, () => ended)) {
      text += Buffer.from(chunk).toString();
      if (text === 'first ') await appendFile(file, 'second ');
      else if (!ended) {
        ended = true;
        await appendFile(file, 'third');
      }
    }
    expect(text).toBe('first second third');
  } finally {
    await rm(folder, { recursive: true });
  }
});
