import { join } from 'node:path';
import { PreconditionError } from '../core/errors.js';
import type { LabDatabase } from './lab-database.js';
import { removeMysql, startMysql } from './mysql.js';
import { removePostgres, startPostgres } from './postgres.js';

/** Database products that a lab can stand on. */
export const LAB_STORES = ['postgres', 'mysql'] as const;
export type LabStore = (typeof LAB_STORES)[number];

/** The store that the variable STORE names; PostgreSQL when it names none. @throws PreconditionError */
export function chosenStore(name = process.env['STORE'] ?? ''): LabStore {
  if (name === '') return 'postgres';
  const found = LAB_STORES.find((store) => store === name);
  if (found !== undefined) return found;
  throw new PreconditionError(`STORE is "${name}"; expected ${LAB_STORES.join(' or ')}`, { STORE: name });
}

/** For people. */
export const STORE_NAMES: Readonly<Record<LabStore, string>> = { postgres: 'PostgreSQL', mysql: 'MySQL' };

/** Starts a database server in a folder of its own below `directory`, which keeps its data. */
export async function startDatabase(store: LabStore, directory: string): Promise<LabDatabase> {
  const folder = join(directory, store);
  return store === 'mysql' ? startMysql({ directory: folder }) : startPostgres({ directory: folder });
}

/** Removes every database server below `directory` with its data, running or not. */
export async function removeDatabases(directory: string): Promise<void> {
  await removePostgres(join(directory, 'postgres'));
  await removeMysql(join(directory, 'mysql'));
}
