import { appendFile, readFile, truncate } from 'node:fs/promises';
import type { ShardRow } from '../core/cluster.js';
import { codeOf } from '../core/errors.js';
import { changedRows, watchShards, type ShardWatch } from '../core/settling/shard-watch.js';
import { readWatchLine, watchLine } from '../core/settling/watch-line.js';

/**
 * What was seen of the shards of a target, kept in a file: a line for each look, with the rows that had changed. Whoever
 * opens it again, after a death too, goes on where it was; a line that was not written to its end is cut off.
 */
export class ShardWatchFile {
  #watch: ShardWatch | undefined;

  private constructor(
    readonly file: string,
    watch: ShardWatch | undefined,
  ) {
    this.#watch = watch;
  }

  static async open(file: string): Promise<ShardWatchFile> {
    const bytes = await readIfThere(file);
    let watch: ShardWatch | undefined;
    let end = 0;
    for (let from = 0, to = bytes.indexOf(NEWLINE); to >= 0; from = to + 1, to = bytes.indexOf(NEWLINE, from)) {
      const look = readWatchLine(bytes.toString('utf8', from, to));
      // What comes after it might rest on it: seen anew at the next look.
      if (look === undefined) break;
      watch = watchShards(watch, look.rows, look.at);
      end = to + 1;
    }
    if (end < bytes.length) await truncate(file, end);
    return new ShardWatchFile(file, watch);
  }

  /** Adds a look that had ended at `at` (milliseconds since 1970), on disk first; gives all that was seen until now. */
  async add(rows: readonly ShardRow[], at: number): Promise<ShardWatch> {
    await appendFile(this.file, `${watchLine(at, changedRows(this.#watch, rows))}\n`);
    this.#watch = watchShards(this.#watch, rows, at);
    return this.#watch;
  }
}

const NEWLINE = 0x0a;

async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
