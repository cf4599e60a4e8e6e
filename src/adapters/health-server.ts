import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../core/errors.js';

/** What a health endpoint tells: the state of the worker, and why it is not ready where it is not. */
export interface Health {
  readonly ready: boolean;
  readonly state: string;
  readonly problem?: string | undefined;
}

/**
 * Answers HTTP at `address` (host:port): `/livez` with 200 for as long as the process does anything at all, `/readyz` with 200
 * when `look` finds it ready and 503 otherwise; both with JSON. @throws Error when it cannot listen there
 */
export async function startHealthServer(
  address: string,
  look: () => Promise<Health>,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const { host, port } = hostAndPort(address);
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(`${JSON.stringify(body)}\n`);
    };
    const path = request.url?.split('?')[0];
    if (path === '/livez') answer(200, { live: true });
    else if (path === '/readyz') {
      look().then(
        (health) => answer(health.ready ? 200 : 503, health),
        (error: unknown) => answer(503, { ready: false, state: 'UNKNOWN', problem: messageOf(error) }),
      );
    } else answer(404, { problem: 'there are /livez and /readyz' });
  });
  server.listen(port, host);
  await once(server, 'listening').catch((cause: unknown) => {
    throw new Error(`no health endpoint at ${address}: ${messageOf(cause)}`, { cause });
  });
  const bound = server.address() as AddressInfo; // of a TCP server that listens
  return {
    address: `${host}:${bound.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** `0.0.0.0:8080` or `[::]:8080`. @throws TypeError when it is neither */
function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535)
    throw new TypeError(`"${address}" is no address to listen at; expected host:port, such as 127.0.0.1:8080`);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
