import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { messageOf } from './core/errors.js';
import { RequestError } from './core/request-error.js';

/** Reads a roll-out as YAML, of which JSON is a part. @throws RequestError naming the file, and the line of a mistake */
export async function readInputFile(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new RequestError(`${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new RequestError(`${file} is neither YAML nor JSON: ${messageOf(cause)}`, { cause });
  }
}
