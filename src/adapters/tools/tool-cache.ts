import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { formatDuration } from '../../core/duration.js';
import type { Work } from '../store.js';
import { SCRIPTS, type Program, type Release } from './release.js';

/** Folders of work under way; one that is found by the holder of the lock was left by a process that died. */
const INCOMING = '.incoming-';
/** A lock that was not renewed for this long belongs to a dead process. A sixth of it lies between two renewals. */
const STALE_MS = 30_000;

/** What is kept of a release: its programs, and the folder of its schema scripts. */
export type Kept = Program | typeof SCRIPTS;

/** The folder in which this project keeps programs: one folder a release, everything in it whole. */
export class ToolCache {
  constructor(
    readonly directory: string,
    private readonly staleMs = STALE_MS,
  ) {}

  /** Where `name` of `release` is kept, whether or not it is there. */
  pathOf(release: Release, name: Kept): string {
    return join(this.directory, release.folder, name);
  }

  /**
   * Runs `bring` while no other process of this machine brings tools: builds are heavy, and two of the same are waste.
   * The lock of a process that died is taken over when it is stale.
   */
  async alone<T>(work: Work, bring: (work: Work) => Promise<T>): Promise<T> {
    await mkdir(this.directory, { recursive: true });
    const lost = new AbortController();
    const release = await this.lock(work, lost);
    try {
      await this.removeLeftovers();
      const signal = work.signal === undefined ? lost.signal : AbortSignal.any([work.signal, lost.signal]);
      return await bring({ ...work, signal });
    } finally {
      if (!lost.signal.aborted) await release();
    }
  }

  /** Gives `fill` an empty folder, then moves what it returns into the cache. Each appears there whole or not at all. */
  async keep(release: Release, fill: (folder: string) => Promise<ReadonlyMap<Kept, string>>): Promise<void> {
    const incoming = await mkdtemp(join(this.directory, INCOMING));
    try {
      const files = await fill(incoming);
      await mkdir(join(this.directory, release.folder), { recursive: true });
      for (const [name, file] of files) {
        const place = this.pathOf(release, name);
        // A file takes the place of another; a folder does not. What is brought anew was not whole.
        if (name === SCRIPTS) await rm(place, { recursive: true, force: true });
        await rename(file, place);
      }
    } finally {
      await rm(incoming, { recursive: true, force: true });
    }
  }

  private async lock(work: Work, lost: AbortController): Promise<() => Promise<void>> {
    const began = Date.now();
    for (let turn = 0; ; turn += 1) {
      work.signal?.throwIfAborted();
      try {
        return await lockfile.lock(this.directory, {
          lockfilePath: join(this.directory, '.lock'),
          stale: this.staleMs,
          update: this.staleMs / 6,
          onCompromised: (error) => lost.abort(error),
        });
      } catch (error) {
        if (!isHeld(error)) throw error;
      }
      if (turn % 10 === 0) {
        work.onProgress?.(
          `waiting for another process that brings Temporal tools (${formatDuration(Date.now() - began)})`,
        );
      }
      await sleep(300, undefined, { signal: work.signal });
    }
  }

  private async removeLeftovers(): Promise<void> {
    const names = await readdir(this.directory);
    for (const name of names.filter((each) => each.startsWith(INCOMING))) {
      await rm(join(this.directory, name), { recursive: true, force: true });
    }
  }
}

/** Whether `path` is a regular file, or a link to one. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function isHeld(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ELOCKED';
}
