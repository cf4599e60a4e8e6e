import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import { messageOf } from '../../core/errors.js';
import type { Work } from '../store.js';
import type { Program, Release } from './release.js';

/** Nothing arriving for this long is a dead connection, not a slow one. */
const IDLE_MS = 60_000;
const TELL_MS = 2_000;
const MEBIBYTE = 1024 * 1024;

/**
 * Fetches the official archive of `release` from below `releasesUrl`, checks it against the checksums published beside it,
 * and unpacks its programs into `folder`. @throws Error that says what was not as it has to be
 */
export async function downloadRelease(
  release: Release,
  { releasesUrl, folder }: { readonly releasesUrl: string; readonly folder: string },
  work: Work,
): Promise<ReadonlyMap<Program, string>> {
  const base = `${releasesUrl}/${release.repository}/releases/download/v${release.version}`;
  const expected = await readChecksum(`${base}/checksums.txt`, release.archive, work);
  const file = join(folder, release.archive);
  const actual = await download(`${base}/${release.archive}`, file, work);
  if (actual !== expected) {
    await rm(file, { force: true });
    throw new Error(`its SHA-256 is ${actual}, but checksums.txt says ${expected}; it was thrown away`);
  }
  const names = new Set<string>(release.programs.map(({ name }) => name));
  const files = new Map<Program, string>();
  await extract({
    file,
    cwd: folder,
    strict: true,
    filter: (path, entry) => {
      // Only plain files at the top, so that no archive can write anywhere else.
      return (
        'type' in entry &&
        entry.type === 'File' &&
        basename(path) === path.replace(/^\.\//, '') &&
        names.has(basename(path))
      );
    },
    onReadEntry: (entry) => {
      const program = release.programs.find(({ name }) => name === basename(entry.path));
      if (program !== undefined) files.set(program.name, join(folder, program.name));
    },
  });
  return files;
}

async function readChecksum(url: string, archive: string, work: Work): Promise<string> {
  const response = await get(url, work.signal);
  const line = (await response.text()).split('\n').find((each) => each.trim().split(/\s+\*?/)[1] === archive);
  const sum = line?.trim().split(/\s+/)[0]?.toLowerCase();
  if (sum === undefined || !/^[0-9a-f]{64}$/.test(sum)) throw new Error(`${url} has no SHA-256 for ${archive}`);
  return sum;
}

async function download(url: string, file: string, work: Work): Promise<string> {
  const idle = new AbortController();
  const signal = work.signal === undefined ? idle.signal : AbortSignal.any([work.signal, idle.signal]);
  const idleTimer = setTimeout(() => idle.abort(new Error(`nothing arrived for ${IDLE_MS / 1_000} s`)), IDLE_MS);
  let bytes = 0;
  let total = '';
  const tell = () => work.onProgress?.(`downloading ${basename(file)}: ${size(bytes)}${total}`);
  tell();
  const ticker = setInterval(tell, TELL_MS);
  try {
    const response = await get(url, signal);
    if (response.body === null) throw new Error(`${url} is empty`);
    const length = response.headers.get('content-length');
    total = length === null ? '' : ` of ${size(Number(length))}`;
    const hash = createHash('sha256');
    await pipeline(
      response.body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          idleTimer.refresh();
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(file),
      { signal },
    );
    tell();
    return hash.digest('hex');
  } finally {
    clearInterval(ticker);
    clearTimeout(idleTimer);
  }
}

async function get(url: string, signal: AbortSignal | undefined): Promise<Response> {
  const response = await fetch(url, { signal: signal ?? null }).catch((error: unknown) => {
    signal?.throwIfAborted();
    // fetch itself says only "fetch failed"; its cause knows what happened.
    const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
    throw new Error(`${url} cannot be reached (${messageOf(cause ?? error)})`);
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status} ${response.statusText}`.trimEnd());
  }
  return response;
}

function size(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
