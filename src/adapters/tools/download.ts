import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../../core/errors.js';
import type { Work } from '../store.js';

/** Nothing arriving for this long is a dead connection, not a slow one. */
const IDLE_MS = 60_000;
const TELL_MS = 2_000;
const MEBIBYTE = 1024 * 1024;

/** Writes what `url` gives into `file`, telling how far it is. Returns its SHA-256. @throws Error that names the address */
export async function download(url: string, file: string, work: Work): Promise<string> {
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

/** The answer of `url`. @throws Error that names the address, when it cannot be reached or answers with an error */
export async function get(url: string, signal: AbortSignal | undefined): Promise<Response> {
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
