import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PreconditionError } from '../../core/errors.js';
import type { BackupsInput, ObjectStoreInput } from '../../core/input/backups.js';
import { manifestPath } from '../backup-manifest.js';
import type { Backup, Work } from '../store.js';
import { writeWhole } from '../write-whole.js';
import { withBackupLock } from './backup-lock.js';
import { decryptFile, encryptFile } from './encryption.js';
import type { ObjectStore } from './object-store.js';
import {
  factsOf,
  isOfStore,
  isWhole,
  keptListPath,
  keptName,
  parseKeptList,
  readKeptList,
  type KeptFile,
  type KeptList,
} from './kept-list.js';

export interface KeeperOptions {
  /** Folder of all backups of the target. */
  readonly backupDir: string;
  readonly backups: Pick<BackupsInput, 'encryption' | 'objectStore'>;
}

/**
 * Keeps backups as the operator wants them kept: encrypted, in an object store, or both. Killed on any line it begins anew with
 * what the store wrote, or finds the list that was written last, and all is done.
 */
export class BackupKeeper {
  readonly #root: string;
  readonly #backups: KeeperOptions['backups'];

  constructor({ backupDir, backups }: KeeperOptions) {
    this.#root = resolve(backupDir);
    this.#backups = backups;
  }

  /** Whether it does anything. */
  get keeps(): boolean {
    return this.#backups.encryption !== undefined || this.#backups.objectStore !== undefined;
  }

  /** A backup that is already kept, and whole wherever it is to be kept; undefined when it has to be made. */
  async find(file: string, work: Work): Promise<Backup | undefined> {
    if (!this.keeps) return undefined;
    return this.#alone(file, work, async () => {
      const list = await readKeptList(file);
      if (list === undefined || !(await this.#isKept(file, list, work))) return undefined;
      await this.#removeWhatIsNotKept(file, list);
      return { file, ...list.backup };
    });
  }

  /** Keeps what a store has just written as `file`. @throws PreconditionError, CommandError */
  async keep(backup: Backup, work: Work): Promise<void> {
    if (this.keeps) await this.#alone(backup.file, work, () => this.#keep(backup, work));
  }

  /**
   * Has `make` write the backup `file`, and keeps it, unless an earlier try has, on whichever host: it may not lie here, and what it is
   * of has changed since.
   */
  async makeOnce(file: string, make: () => Promise<Backup>, work: Work): Promise<void> {
    if ((await readKeptList(file)) !== undefined) return;
    if (this.keeps && (await this.#alone(file, work, () => this.#fetchList(file))) !== undefined) return;
    await this.keep(await make(), work);
  }

  async #keep(backup: Backup, work: Work): Promise<void> {
    const { file, bytes, bytesBeside, sha256, entries } = backup;
    const { encryption } = this.#backups;
    const files: KeptFile[] = [];
    for (const path of await filesOf(file)) {
      const plain = await factsOf(path, work.signal);
      work.onProgress?.(encryption === undefined ? `keeping ${basename(path)}` : `encrypting ${basename(path)}`);
      const into = join(dirname(path), keptName({ name: basename(path) }, { encrypted: encryption !== undefined }));
      const kept = encryption === undefined ? plain : await encryptFile(encryption, { from: path, into, plain }, work);
      files.push({ name: basename(path), plain, kept });
    }
    const list: KeptList = {
      backup: { bytes, bytesBeside, sha256, entries },
      encrypted: encryption !== undefined,
      files,
    };
    const storedAt = await this.#store(file, list, work);
    const text = `${JSON.stringify({ ...list, storedAt }, undefined, 2)}\n`;
    await this.#storeText(keptListPath(file), text);
    await writeWhole(keptListPath(file), text);
    await this.#removeWhatIsNotKept(file, list);
  }

  /**
   * Gives `use` the backup `file` as its store wrote it: brought back from the object store, and decrypted, where it has to be. What
   * is not to lie here is removed again.
   * @throws PreconditionError when it is kept nowhere whole; CommandError
   */
  async withPlain<T>(file: string, work: Work, use: () => Promise<T>): Promise<T> {
    if (!this.keeps && (await readKeptList(file)) === undefined) return use();
    return this.#alone(file, work, () => this.#withPlain(file, work, use));
  }

  async #withPlain<T>(file: string, work: Work, use: () => Promise<T>): Promise<T> {
    const list = this.keeps ? ((await readKeptList(file)) ?? (await this.#fetchList(file))) : await readKeptList(file);
    if (list === undefined) return use(); // of a time before it was kept otherwise
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      for (const one of list.files) await this.#bringBack(file, { list, one }, work);
      await this.#bringManifest(file);
      return await use();
    } finally {
      await this.#removeWhatIsNotKept(file, list);
    }
  }

  /** Backups that the object store has, by the paths that they have here. */
  async listStored(): Promise<{ readonly file: string; readonly list: KeptList; readonly manifest: string }[]> {
    const { objectStore } = this.#backups;
    if (objectStore === undefined) return [];
    return withBucket(objectStore, async (bucket) => {
      const found = [];
      for await (const key of bucket.list('')) {
        const file = fileOfList(key);
        const list = file === undefined ? undefined : parseKeptList(await bucket.readText(key));
        const manifest = file === undefined ? undefined : await bucket.readText(manifestPath(file));
        if (file === undefined || list === undefined || manifest === undefined) continue;
        found.push({ file: join(this.#root, file), list, manifest });
      }
      return found;
    });
  }

  /** Removes all that was kept below a folder of backups, here and in the object store. */
  async remove(folder: string): Promise<void> {
    const key = this.#keyOf(folder);
    if (key === '' || key.startsWith('..')) throw new PreconditionError(`${folder} is no folder below ${this.#root}`);
    const { objectStore } = this.#backups;
    if (objectStore !== undefined) {
      await withBucket(objectStore, async (bucket) => {
        const keys: string[] = [];
        for await (const each of bucket.list(`${key}/`)) keys.push(each);
        // The lists first: what has none is no backup any more, whatever is left of it.
        await bucket.remove(
          keys.toSorted((a, b) => Number(fileOfList(b) !== undefined) - Number(fileOfList(a) !== undefined)),
        );
      });
    }
    await rm(folder, { recursive: true, force: true });
  }

  async #isKept(file: string, list: KeptList, work: Work): Promise<boolean> {
    const { objectStore, encryption } = this.#backups;
    if (list.encrypted !== (encryption !== undefined)) return false;
    if (objectStore === undefined || objectStore.keepLocal) {
      for (const one of list.files) {
        if (!(await isWhole(join(dirname(file), keptName(one, list)), one.kept, work.signal))) return false;
      }
    }
    if (objectStore === undefined) return true;
    return withBucket(objectStore, async (bucket) => {
      for (const one of list.files) {
        const size = await bucket.sizeOf(this.#keyOf(join(dirname(file), keptName(one, list))));
        if (size !== one.kept.bytes) return false;
      }
      return (await bucket.sizeOf(this.#keyOf(keptListPath(file)))) !== undefined;
    });
  }

  /** Stores all files but the list, and reads each back. @returns where they are */
  async #store(file: string, list: KeptList, work: Work): Promise<string | undefined> {
    const { objectStore } = this.#backups;
    if (objectStore === undefined) return undefined;
    return withBucket(objectStore, async (bucket) => {
      for (const one of list.files) {
        const path = join(dirname(file), keptName(one, list));
        const key = this.#keyOf(path);
        await bucket.put(key, path, work);
        work.onProgress?.(`reading ${key} back`);
        const hash = createHash('sha256');
        for await (const chunk of await bucket.read(key, work)) hash.update(chunk as Buffer);
        if (hash.digest('hex') !== one.kept.sha256) {
          throw new PreconditionError(
            `${bucket.place}${key} was stored, and what is read back of it is something else`,
          );
        }
      }
      await this.#storeManifest(bucket, file);
      return bucket.place;
    });
  }

  async #storeManifest(bucket: ObjectStore, file: string): Promise<void> {
    const path = manifestPath(file);
    if (await isFile(path)) await bucket.put(this.#keyOf(path), path, {});
  }

  async #storeText(path: string, text: string): Promise<void> {
    const { objectStore } = this.#backups;
    if (objectStore !== undefined) await withBucket(objectStore, (bucket) => bucket.putText(this.#keyOf(path), text));
  }

  async #fetchList(file: string): Promise<KeptList | undefined> {
    const { objectStore } = this.#backups;
    if (objectStore === undefined) return undefined;
    const text = await withBucket(objectStore, (bucket) => bucket.readText(this.#keyOf(keptListPath(file))));
    const list = parseKeptList(text);
    if (text === undefined || list === undefined) return undefined;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeWhole(keptListPath(file), text);
    return list;
  }

  async #bringManifest(file: string): Promise<void> {
    const { objectStore } = this.#backups;
    if (objectStore === undefined || (await isFile(manifestPath(file)))) return;
    const text = await withBucket(objectStore, (bucket) => bucket.readText(this.#keyOf(manifestPath(file))));
    if (text !== undefined) await writeFile(manifestPath(file), text, { mode: 0o600 });
  }

  async #bringBack(
    file: string,
    { list, one }: { readonly list: KeptList; readonly one: KeptFile },
    work: Work,
  ): Promise<void> {
    const plain = join(dirname(file), one.name);
    if (await isWhole(plain, one.plain, work.signal)) return;
    const kept = join(dirname(file), keptName(one, list));
    if (!(await isWhole(kept, one.kept, work.signal))) await this.#download(kept, one, work);
    if (!list.encrypted) return;
    const { encryption } = this.#backups;
    if (encryption === undefined) {
      throw new PreconditionError(
        `the backup ${file} is encrypted, and the input has no "backups.encryption" whose "decrypt" could read it`,
        { file },
      );
    }
    work.onProgress?.(`decrypting ${basename(kept)}`);
    await decryptFile(encryption, { from: kept, into: plain, plain: one.plain }, work);
  }

  async #download(kept: string, one: KeptFile, work: Work): Promise<void> {
    const { objectStore } = this.#backups;
    if (objectStore === undefined) {
      throw new PreconditionError(
        `${kept} is missing or damaged (sha256 ${one.kept.sha256}); put the right file there`,
        {
          file: kept,
        },
      );
    }
    const key = this.#keyOf(kept);
    const partial = `${kept}.partial`;
    await withBucket(objectStore, async (bucket) => {
      if ((await bucket.sizeOf(key)) === undefined) {
        throw new PreconditionError(`${kept} is missing or damaged, and ${bucket.place}${key} is not there either`, {
          file: kept,
        });
      }
      work.onProgress?.(`bringing ${key} back`);
      await rm(partial, { force: true });
      await (await open(partial, 'wx', 0o600)).close();
      await pipeline(await bucket.read(key, work), createWriteStream(partial));
      if (!(await isWhole(partial, one.kept, work.signal))) {
        await rm(partial, { force: true });
        throw new PreconditionError(
          `${bucket.place}${key} is damaged: it is not what was stored (sha256 ${one.kept.sha256})`,
          {
            file: kept,
          },
        );
      }
      await rename(partial, kept);
    });
  }

  async #removeWhatIsNotKept(file: string, list: KeptList): Promise<void> {
    const { objectStore } = this.#backups;
    for (const one of list.files) {
      if (list.encrypted) await rm(join(dirname(file), one.name), { force: true });
      if (objectStore !== undefined && !objectStore.keepLocal) {
        await rm(join(dirname(file), keptName(one, list)), { force: true });
      }
    }
  }

  /** While no other process has to do with the backup `file`. */
  #alone<T>(file: string, work: Work, use: () => Promise<T>): Promise<T> {
    return withBackupLock({ root: this.#root, key: this.#keyOf(file) }, work, use);
  }

  #keyOf(path: string): string {
    return relative(this.#root, path);
  }
}

/** Opens the object store for `use`; its library is loaded where there is one. @throws PreconditionError */
async function withBucket<T>(input: ObjectStoreInput, use: (bucket: ObjectStore) => Promise<T>): Promise<T> {
  return (await import('./object-store.js')).ObjectStore.with(input, use);
}

/** Files of a backup but its manifest: `file` itself, and those that a store of several nodes writes beside it. */
async function filesOf(file: string): Promise<string[]> {
  const folder = dirname(file);
  const name = basename(file);
  return (await readdir(folder))
    .filter((each) => each === name || each.startsWith(`${name}.`))
    .filter((each) => isOfStore(each) && join(folder, each) !== manifestPath(file))
    .sort()
    .map((each) => join(folder, each));
}

/** The backup whose list has this key; undefined when it is none. */
function fileOfList(key: string): string | undefined {
  const ending = keptListPath('');
  return key.endsWith(ending) ? key.slice(0, -ending.length) : undefined;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
