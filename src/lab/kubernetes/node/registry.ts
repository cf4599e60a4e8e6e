import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findFreePort } from '../../free-ports.js';
import { blobsOf, MANIFEST_TYPE, tagFile } from './image.js';

/** A registry of images. */
export interface Registry {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
/** Of the registries' protocol, what pulls: a manifest by tag or digest, and a blob by digest. */
const ASKED = /^\/v2\/(?<name>[a-z0-9/-]+)\/(?<kind>manifests|blobs)\/(?<reference>[\w.:-]+)(?:\?.*)?$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Gives out the images in the folder `images`, those that are made later too; what is not there is not found, as of any registry. */
export async function startRegistry(images: string): Promise<Registry> {
  const server = createServer((request, response) => {
    answer(images, request, response).catch((error: unknown) => response.destroy(error as Error)); // the puller is gone, and thrown was an Error
  });
  const port = await findFreePort();
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    url: `http://${HOST}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(images: string, { method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { name = '', kind, reference = '' } = ASKED.exec(url)?.groups ?? {};
  const isTag = kind === 'manifests' && !DIGEST.test(reference);
  const digest = isTag ? await textOf(tagFile(images, `${name}:${reference}`)) : reference;
  const file = join(blobsOf(images), digest ?? '');
  const size = digest !== undefined && DIGEST.test(digest) ? await sizeOf(file) : undefined;
  if (digest === undefined || size === undefined) {
    const code = kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN';
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code, message: `${name}:${reference} is not here` }] }));
    return;
  }
  response.writeHead(200, {
    'content-type': kind === 'manifests' ? MANIFEST_TYPE : 'application/octet-stream',
    'content-length': size,
    'docker-content-digest': digest,
  });
  if (method === 'HEAD') response.end();
  else await pipeline(createReadStream(file), response);
}

function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
