import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../core/errors.js';

/**
 * Takes a lock of the operating system on `file`, by way of SQLite: held until it is disposed, or the process dies in any way. The file
 * stays: who removed it would let a third one in beside the one that waits. @returns undefined while another holds it
 */
export function tryLock(file: string): Disposable | undefined {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(file);
  try {
    db.exec('BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => db.close() };
  } catch (error) {
    db.close();
    if (!/locked|busy/i.test(messageOf(error))) throw error;
    return undefined;
  }
}
