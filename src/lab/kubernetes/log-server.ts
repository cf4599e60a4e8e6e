import { watch } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Certificates } from '../certificates.js';

/** Which run of a container somebody wants to read. */
export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The run before the last one. */
  readonly previous: boolean;
}

/** The part of a kubelet that `kubectl logs` asks, by way of the API server. */
export interface LogServer {
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * Answers `/containerLogs/NAMESPACE/POD/CONTAINER` on `port` of 127.0.0.1 with TLS: `previous`, `tailLines`, `limitBytes` and
 * `follow` count, and `timestamps` and `sinceTime` by the times that a server itself writes into its lines.
 */
export async function serveLogs(options: {
  readonly port: number;
  readonly certificates: Certificates;
  /** Undefined when there is no such run. */
  readonly fileOf: (request: LogRequest) => string | undefined;
}): Promise<LogServer> {
  const { certificates, fileOf } = options;
  const [cert, key] = await Promise.all([readFile(certificates.serverCert), readFile(certificates.serverKey)]);
  const server = createServer({ cert, key }, (request, response) => {
    answer(request, response, fileOf).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  server.listen(options.port, HOST);
  await once(server, 'listening');
  return {
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  fileOf: (request: LogRequest) => string | undefined,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', `https://${HOST}`);
  const [, kind, namespace = '', pod = '', container = ''] = pathname.split('/');
  const previous = searchParams.get('previous') === 'true';
  const file = kind === 'containerLogs' ? fileOf({ namespace, pod, container, previous }) : undefined;
  if (file === undefined) {
    response
      .writeHead(404)
      .end(`${previous ? 'previous terminated ' : ''}container "${container}" in pod "${pod}" not found`);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/plain' });
  const whole = await readFile(file).catch(() => Buffer.alloc(0));
  response.write(cut(whole, searchParams));
  if (searchParams.get('follow') === 'true') await followFile(file, whole.length, response);
  response.end();
}

function cut(whole: Buffer, query: URLSearchParams): Buffer {
  const [tail, limit] = [query.get('tailLines'), query.get('limitBytes')];
  const lines = withTimes(whole.toString('utf8').split(/(?<=\n)/), query);
  const end = Buffer.from((tail === null ? lines : Number(tail) === 0 ? [] : lines.slice(-Number(tail))).join(''));
  return limit === null ? end : end.subarray(0, Number(limit));
}

/** A line without a time has that of the one before it. */
function withTimes(lines: readonly string[], query: URLSearchParams): readonly string[] {
  const [since, shows] = [query.get('sinceTime'), query.get('timestamps') === 'true'];
  if (since === null && !shows) return lines;
  let time = new Date(0).toISOString();
  return lines.flatMap((line) => {
    const [, written] = /"ts":"([^"]+)"/.exec(line) ?? [];
    if (written !== undefined) time = new Date(written).toISOString();
    if (line === '' || (since !== null && time < new Date(since).toISOString())) return [];
    return [shows ? `${time} ${line}` : line];
  });
}

async function followFile(file: string, from: number, response: ServerResponse): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const handle = await open(file, 'r');
  let at = from;
  const more = async () => {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024), { position: at });
    at += bytesRead;
    if (bytesRead > 0) response.write(buffer.subarray(0, bytesRead));
  };
  let reading = Promise.resolve();
  const changes = watch(file, { signal: closed.signal }, () => {
    reading = reading.then(more);
  });
  await once(changes, 'close');
  await reading.catch(() => undefined);
  await handle.close();
}
