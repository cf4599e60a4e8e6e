import { appendFileSync, mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { codeOf } from '../core/errors.js';

/*
 * Files of JSON lines to which one process after the other adds, for the report. Whoever is killed in the middle of a line
 * leaves a piece of it: a line begins with its line break, so that the next one is whole, and pieces are passed over.
 */

/** Adds a line. Readable by the worker's user alone. @throws where it cannot be written */
export function appendRecord(file: string, record: object): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `\n${JSON.stringify(record)}`, { mode: 0o600 });
}

/** The lines of a file that are records of `shape`; none where there is no file. */
export async function readRecords<T>(file: string, shape: z.ZodType<T>): Promise<T[]> {
  return (await readIfThere(file)).split('\n').flatMap((line) => {
    const parsed = shape.safeParse(jsonOf(line));
    return parsed.success ? [parsed.data] : [];
  });
}

/** The text of a file; empty where there is none. */
export async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
}

/** The names of what is in a folder, and below it where that is wanted; none where there is no folder. */
export async function listIfThere(directory: string, { recursive = false } = {}): Promise<string[]> {
  return readdir(directory, { recursive }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
