import { createReadStream } from 'node:fs';

/** What a dump holds, as read from its text. */
export interface DumpContents {
  /** Rows of each table that it makes. */
  readonly rows: Readonly<Record<string, number>>;
  /** Its last line says that it was written to the end. */
  readonly complete: boolean;
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, NEWLINE, BACKTICK, SEMICOLON] = [39, 92, 40, 41, 10, 96, 59];
/** Far more than the beginning of any line that tells what the line is. */
const MOST_HEAD = 300;

/**
 * Reads a dump of `mysqldump` or `mariadb-dump` to its end and counts what it would bring: tables by their CREATE TABLE, rows by
 * the tuples of INSERT. Only this proves that all of it can be read; memory does not grow with it.
 * @throws Error when a statement ends within a quoted text
 */
export async function readDump(file: string, signal?: AbortSignal): Promise<DumpContents> {
  const reader = new DumpReader();
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 1024 * 1024 }))
    reader.read(chunk as Buffer);
  return reader.end();
}

class DumpReader {
  readonly #rows: Record<string, number> = {};
  #complete = false;
  /** Beginning of the present line, until it is known what it is. */
  #head = '';
  /** Table whose rows are being read. */
  #table: string | undefined;
  #depth = 0;
  #quote = 0;
  #escaped = false;

  read(chunk: Buffer): void {
    for (const byte of chunk) {
      if (this.#table === undefined) this.#readLine(byte);
      else this.#readRows(byte, this.#table);
    }
  }

  end(): DumpContents {
    this.#endLine();
    if (this.#table !== undefined) throw new Error(`the dump ends within the rows of table ${this.#table}`);
    return { rows: this.#rows, complete: this.#complete };
  }

  #readLine(byte: number): void {
    if (byte === NEWLINE) {
      this.#endLine();
      return;
    }
    if (this.#head.length >= MOST_HEAD) return;
    this.#head += String.fromCharCode(byte);
    // From here on quotes count, whatever lines they stand on.
    const [, table] = /^INSERT (?:IGNORE )?INTO `([^`]+)` (?:\([^)]*\) )?VALUES$/.exec(this.#head) ?? [];
    if (table === undefined) return;
    this.#table = table;
    this.#head = '';
  }

  #endLine(): void {
    const [, table] = /^CREATE TABLE (?:IF NOT EXISTS )?`([^`]+)`/.exec(this.#head) ?? [];
    if (table !== undefined) this.#rows[table] ??= 0;
    if (this.#head !== '') this.#complete = this.#head.startsWith('-- Dump completed');
    this.#head = '';
  }

  #readRows(byte: number, table: string): void {
    if (this.#quote !== 0) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH && this.#quote === QUOTE) this.#escaped = true;
      // A doubled quote ends one text and begins another, which comes to the same.
      else if (byte === this.#quote) this.#quote = 0;
    } else if (byte === QUOTE || byte === BACKTICK) this.#quote = byte;
    else if (byte === OPEN) {
      if (this.#depth === 0) this.#rows[table] = (this.#rows[table] ?? 0) + 1;
      this.#depth += 1;
    } else if (byte === CLOSE) this.#depth -= 1;
    else if (byte === SEMICOLON && this.#depth === 0) this.#table = undefined;
  }
}
