import { readFile } from 'node:fs/promises';
import type { MeasuredRoll } from './measured-roll.js';

/** Rolls that were written down one a line. @throws Error when there is no such file */
export async function readRolls(file: string): Promise<MeasuredRoll[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MeasuredRoll); // written by append alone
}
