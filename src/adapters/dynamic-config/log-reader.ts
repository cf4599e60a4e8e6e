import { open, stat } from 'node:fs/promises';
import { codeOf } from '../../core/errors.js';
import type { LogPlace } from './settings-record.js';

const CHUNK_BYTES = 1024 * 1024;

/** Where a log ends now; undefined when it cannot be read from here. */
export async function endOfLog(file: string): Promise<LogPlace | undefined> {
  return stat(file).then(
    ({ size }) => ({ file, from: size }),
    () => undefined,
  );
}

/** Reads what is added to a log, whole lines only, from a place on. A log that was cut or begun anew is read from its start. */
export class LogReader {
  #at: number;
  #rest = Buffer.alloc(0);

  constructor(private readonly place: LogPlace) {
    this.#at = place.from;
  }

  /** The lines since the last call; none when the log is not there. */
  async read(): Promise<string[]> {
    const file = await open(this.place.file, 'r').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined; // it is being rotated
      throw error;
    });
    if (file === undefined) return [];
    const lines: string[] = [];
    try {
      const { size } = await file.stat();
      if (size < this.#at) [this.#at, this.#rest] = [0, Buffer.alloc(0)];
      while (this.#at < size) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(CHUNK_BYTES, size - this.#at)), {
          position: this.#at,
        });
        if (bytesRead === 0) break;
        this.#at += bytesRead;
        lines.push(...this.#whole(buffer.subarray(0, bytesRead)));
      }
    } finally {
      await file.close();
    }
    return lines;
  }

  #whole(bytes: Buffer): string[] {
    const all = Buffer.concat([this.#rest, bytes]);
    const end = all.lastIndexOf(0x0a) + 1;
    this.#rest = all.subarray(end);
    return end === 0 ? [] : all.toString('utf8', 0, end - 1).split('\n');
  }
}
