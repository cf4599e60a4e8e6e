import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { PreconditionError } from '../core/errors.js';

/** What is written beside a backup, as `<file>.json`: enough to check the file years later, and to know what it is. */
export const BackupManifest = z.object({
  database: z.string(),
  host: z.string(),
  port: z.int(),
  /** Server that it was taken from, and program that took it. */
  serverVersion: z.string(),
  schemaVersion: z.string(),
  takenAt: z.iso.datetime(),
  bytes: z.int().nonnegative(),
  /** Of the files beside it, where a store has several nodes; the file itself lists them. */
  bytesBeside: z.int().nonnegative().optional(),
  sha256: z.string(),
  entries: z.int().positive(),
  /** Rows of the tables that a restore is held against, in the same snapshot; absent in backups of earlier releases. */
  rows: z.record(z.string(), z.int().nonnegative()).optional(),
});
export type BackupManifest = z.infer<typeof BackupManifest>;

/** Place of the manifest of the backup in `file`. */
export function manifestPath(file: string): string {
  return `${file}.json`;
}

/**
 * The manifest of an existing backup that is still as it was written: size and SHA-256 are compared. Undefined when there
 * is none, or when it is damaged.
 * @throws PreconditionError when the file is the backup of another database
 */
export async function readWholeBackup(
  file: string,
  of: Pick<BackupManifest, 'host' | 'port' | 'database'>,
): Promise<BackupManifest | undefined> {
  const manifest = await findOwnManifest(file, of);
  if (manifest === undefined) return undefined;
  const size = await stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
  if (size !== manifest.bytes) return undefined;
  return (await sha256Of(file)) === manifest.sha256 ? manifest : undefined;
}

/** The manifest beside `file`; undefined as in {@link findManifest}. @throws PreconditionError when the file is the backup of another database */
export async function findOwnManifest(
  file: string,
  of: Pick<BackupManifest, 'host' | 'port' | 'database'>,
): Promise<BackupManifest | undefined> {
  const manifest = await findManifest(file);
  if (manifest === undefined) return undefined;
  const { database, host, port } = manifest;
  if (database === of.database && host === of.host && port === of.port) return manifest;
  throw new PreconditionError(
    `${file} is a backup of "${database}" at ${host}:${port}, not of "${of.database}" at ${of.host}:${of.port}; it is left alone. Use ` +
      'another "backupDir", or move it away',
    { file, expected: of, found: { database, host, port } },
  );
}

/** The manifest beside `file`; undefined when there is none, or it cannot be read as one. */
export async function findManifest(file: string): Promise<BackupManifest | undefined> {
  return parseManifest(await readFile(manifestPath(file), 'utf8').catch(() => ''));
}

/** What the text of a manifest says; undefined when it is none. */
export function parseManifest(text: string): BackupManifest | undefined {
  return BackupManifest.safeParse(parseJson(text)).data;
}

/** The manifest of the backup that a restore was ordered to bring. @throws PreconditionError when the file is not that one */
export async function checkManifest(
  { host, port, database }: Pick<BackupManifest, 'host' | 'port' | 'database'>,
  { file, sha256, schema }: { readonly file: string; readonly sha256: string; readonly schema: string },
): Promise<BackupManifest> {
  const manifest = await readWholeBackup(file, { host, port, database });
  if (manifest === undefined || manifest.sha256 !== sha256) {
    const found = manifest === undefined ? 'it is missing or damaged' : `it is another one (sha256 ${manifest.sha256})`;
    throw new PreconditionError(
      `the backup ${file} of "${database}" is not what was written down (sha256 ${sha256}): ${found}; put the right file there`,
      { file, sha256 },
    );
  }
  if (manifest.schemaVersion === schema) return manifest;
  throw new PreconditionError(
    `the backup ${file} of "${database}" has schema ${manifest.schemaVersion}, not ${schema}, which the servers to go back to want`,
    { file, expected: schema, found: manifest.schemaVersion },
  );
}

/** The manifest of a backup as it was written; whether the backup still is like that was looked at before. @throws PreconditionError */
export async function readManifest(file: string): Promise<BackupManifest> {
  const manifest = await findManifest(file);
  if (manifest !== undefined) return manifest;
  throw new PreconditionError(`${manifestPath(file)} cannot be read any more; it says what the backup ${file} is`, {
    file,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function sha256Of(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
