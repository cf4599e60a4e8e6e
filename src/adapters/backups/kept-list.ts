import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { sha256Of } from '../backup-manifest.js';

/** One file, by what it has to be. */
const FileFacts = z.object({ bytes: z.int().nonnegative(), sha256: z.string() });
export type FileFacts = z.infer<typeof FileFacts>;

/**
 * What became of a backup after it was written: which files it has, and what is kept of each. Written last, as `<file>.kept.json`:
 * where it is, all that it names was whole.
 */
export const KeptList = z.object({
  /** Of the backup as the store gave it. */
  backup: FileFacts.extend({ entries: z.int().positive(), bytesBeside: z.int().nonnegative().optional() }),
  encrypted: z.boolean(),
  /** Where they are stored besides the folder: `s3://bucket/prefix/`. */
  storedAt: z.string().optional(),
  files: z.array(
    z.object({
      /** Within the folder of the backup. */
      name: z.string(),
      plain: FileFacts,
      /** What is kept: the same, or the file encrypted. */
      kept: FileFacts,
    }),
  ),
});
export type KeptList = z.infer<typeof KeptList>;
export type KeptFile = KeptList['files'][number];

const LIST = '.kept.json';
const ENCRYPTED = '.encrypted';

/** Place of the list of the backup in `file`. */
export function keptListPath(file: string): string {
  return `${file}${LIST}`;
}

/** Name under which a file is kept. */
export function keptName({ name }: Pick<KeptFile, 'name'>, { encrypted }: Pick<KeptList, 'encrypted'>): string {
  return encrypted ? `${name}${ENCRYPTED}` : name;
}

/** Whether a file of a backup's folder is one that its store wrote: neither the list, nor encrypted, nor half a file. */
export function isOfStore(name: string): boolean {
  return !name.endsWith(LIST) && !name.endsWith(ENCRYPTED) && !name.endsWith('.partial');
}

/** The list, where there is one that can be read as such. */
export async function readKeptList(file: string): Promise<KeptList | undefined> {
  return parseKeptList(await readFile(keptListPath(file), 'utf8').catch(() => undefined));
}

export function parseKeptList(text: string | undefined): KeptList | undefined {
  if (text === undefined) return undefined;
  try {
    return KeptList.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function factsOf(path: string, signal?: AbortSignal): Promise<FileFacts> {
  return { bytes: (await stat(path)).size, sha256: await sha256Of(path, signal) };
}

/** Whether the file at `path` is there and is that one, byte for byte. */
export async function isWhole(path: string, { bytes, sha256 }: FileFacts, signal?: AbortSignal): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  return size === bytes && (await sha256Of(path, signal)) === sha256;
}
