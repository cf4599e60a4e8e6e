import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'node:path';
import type { z } from 'zod';
import { messageOf, PreconditionError } from '../../core/errors.js';

/** Names of snapshots are short and simple everywhere. */
const NOT_IN_NAMES = /[^a-z0-9-]+/g;

/** Name of the snapshot that is the backup `file`: the same in every try, another for every other. */
export function snapshotName(file: string): string {
  const database = parse(file).name.toLowerCase().replaceAll(NOT_IN_NAMES, '-');
  return `temporal-upgrade-${database}-${createHash('sha256').update(file).digest('hex').slice(0, 12)}`;
}

/** What the file of a backup says of the snapshot that it stands for. @throws PreconditionError when it is no such record */
export async function readSnapshotRecord<T>(file: string, shape: z.ZodType<T>): Promise<T> {
  try {
    return shape.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new PreconditionError(
      `${file} cannot be read as the record of a snapshot: ${messageOf(cause)}`,
      { file },
      { cause },
    );
  }
}
