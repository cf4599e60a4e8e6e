import { expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerSummary } from '../../src/core/ledger.js';
import type { LoadLine, LoadOptions } from '../../src/load/load-options.js';
import { runLoad } from '../../src/load/run-load.js';

/** A load in the making: its last line, and its end. */
export class LoadRun {
  last: LoadLine | undefined;
  readonly ended: Promise<unknown>;
  readonly #stop = new AbortController();
  #hasEnded = false;

  constructor(options: LoadOptions, mainFile: string) {
    const onProgress = (line: LoadLine) => (this.last = line);
    this.ended = runLoad({ ...options, mainFile, signal: this.#stop.signal, onProgress })
      .catch((e: unknown) => e)
      .finally(() => (this.#hasEnded = true));
  }

  /** Waits until the load has said something of which `holds`, and returns it. */
  async until(holds: (line: LoadLine) => boolean): Promise<LoadLine> {
    for (;;) {
      if (this.last !== undefined && holds(this.last)) return this.last;
      const end = await Promise.race([this.ended.then((error) => ({ error })), sleep(200)]);
      if (end !== undefined) throw new Error('the load has ended', { cause: end.error });
    }
  }

  /** Ends it as nothing should end. */
  async kill(): Promise<void> {
    // Not one that has ended: its number may be another's by now.
    if (this.last !== undefined && !this.#hasEnded) process.kill(this.last.pid, 'SIGKILL');
    this.#stop.abort();
    await this.ended;
  }

  async stop(): Promise<unknown> {
    this.#stop.abort();
    return this.ended;
  }
}

/** What has to be true of every ledger at rest, whatever has happened to its processes. */
export function expectAllAccountedFor(summary: LedgerSummary): void {
  expect(summary).toMatchObject({ running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0, examples: [] });
  expect(summary.completed).toBe(summary.started);
}
