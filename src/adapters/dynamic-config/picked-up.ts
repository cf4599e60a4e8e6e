import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PreconditionError } from '../../core/errors.js';
import type { Work } from '../store.js';
import { LogReader } from './log-reader.js';
import { touchFile } from './replace-file.js';
import type { LogPlace } from './settings-record.js';

/** `seen` in its log; `waited` for as long as two looks of a server take; or it does not run, and reads the file when it starts. */
export type PickedUp = 'seen' | 'waited' | 'not running';

/** A file that was changed, and what its readers are to tell of it. */
export interface Expected {
  readonly path: string;
  readonly pollMs: number;
  /** Each key with its new value; null for one that is gone. */
  readonly changes: readonly { readonly key: string; readonly value: string | null }[];
  readonly nodes: readonly { readonly name: string; readonly running: boolean; readonly log?: LogPlace | undefined }[];
}

/** What a server writes that could not read its file. */
export const REFUSED = 'Unable to update dynamic config';
const LOOK_EVERY_MS = 250;
/** What a look of a server itself may take. */
const GRACE_MS = 1_000;

/**
 * Waits until the servers have read the files, side by side: for the lines that they write for each changed key, where their
 * logs can be read, else for two looks of theirs and a second.
 * @throws PreconditionError when a server says that it could not read its file
 */
export async function waitUntilPickedUp(files: readonly Expected[], work?: Work): Promise<Map<string, PickedUp>> {
  const found = await Promise.all(files.map((file) => waitForFile(file, work)));
  return new Map(found.flat());
}

async function waitForFile(file: Expected, work: Work | undefined): Promise<[string, PickedUp][]> {
  const watches = file.nodes.map((node) => new Watch(node, file));
  const begin = Date.now();
  const end = begin + 2 * file.pollMs + GRACE_MS;
  let again = false;
  for (;;) {
    for (const watch of watches) await watch.look();
    const waiting = watches.filter(({ result }) => result === undefined);
    if (waiting.length === 0) break;
    if (Date.now() >= end) {
      for (const watch of waiting) watch.giveUp();
      break;
    }
    if (!again && Date.now() > begin + file.pollMs + GRACE_MS) {
      again = true;
      // A server up to 1.24 that looked in the very moment of the change does not see it: once more is enough.
      await touchFile(file.path, (await stat(file.path)).mtimeMs).catch(() => undefined);
    }
    work?.signal?.throwIfAborted();
    work?.onProgress?.(`waiting until ${waiting.map(({ name }) => name).join(', ')} read ${file.path}`);
    await sleep(LOOK_EVERY_MS, undefined, { signal: work?.signal });
  }
  return watches.map(({ name, result }) => [name, result ?? 'waited']);
}

/** One node and what is still to be seen of it. */
class Watch {
  readonly name: string;
  result: PickedUp | undefined;
  readonly #log: LogReader | undefined;
  readonly #missing: Set<Expected['changes'][number]>;
  readonly #path: string;
  #refused = false;

  constructor({ name, running, log }: Expected['nodes'][number], { path, changes }: Expected) {
    this.name = name;
    this.#path = path;
    this.#log = log === undefined ? undefined : new LogReader(log);
    this.#missing = new Set(changes);
    if (!running) this.result = 'not running';
    else if (changes.length === 0) this.result = 'seen';
  }

  async look(): Promise<void> {
    if (this.result !== undefined || this.#log === undefined) return;
    for (const line of await this.#log.read()) {
      if (line.includes(REFUSED)) this.#refused = true;
      const change = readChange(line);
      if (change === undefined) continue;
      for (const wanted of this.#missing) if (tells(change, wanted)) this.#missing.delete(wanted);
    }
    if (this.#missing.size === 0) this.result = 'seen';
  }

  giveUp(): void {
    if (this.#refused) {
      throw new PreconditionError(
        `${this.name} says that it cannot read ${this.#path} ("Unable to update dynamic config" in its log); mend the file, then try again`,
        { node: this.name, file: this.#path },
      );
    }
    this.result = 'waited';
  }
}

/** A key that a server has seen change. */
export interface Change {
  readonly key: string;
  readonly newValue: string;
}

/**
 * What a server since 1.16 writes for each key that differs from before, in lower case (common/dynamicconfig/basic_client.go,
 * later file_based_client.go, then client_diff.go).
 */
export function readChange(line: string): Change | undefined {
  const [, key, newValue] = /dynamic config changed for the key: (\S+) oldValue: .* newValue: (.*)$/.exec(line) ?? [];
  return key === undefined || newValue === undefined ? undefined : { key, newValue };
}

/** Whether it is the change that was waited for. */
export function tells(change: Change, { key, value }: Expected['changes'][number]): boolean {
  if (change.key !== key.toLowerCase()) return false;
  return change.newValue.startsWith(value === null ? 'nil' : `{ constraints: {} value: ${value} }`);
}
