import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file as a whole: killed on any line, either the old text or the new one is there. Does nothing when the text is
 * the same, and says whether it did something.
 */
export async function writeAtomically(file: string, text: string): Promise<boolean> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return false;
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.part`; // one name: what a killed run left is written over
  try {
    await writeFile(part, text);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return true;
}
