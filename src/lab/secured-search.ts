import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificates } from './certificates.js';

export interface SecuredSearch {
  readonly url: string;
  /** What the door itself answers, by path, as the security plugin would that the server behind lacks. */
  readonly answers: Map<string, object>;
  close(): Promise<void>;
}

/**
 * A door before a search server, as a proxy of an operator would be one: TLS with a certificate on both sides, and nobody passes without
 * one of these values of `authorization`. The servers of the lab are libraries, without the plugins that do this.
 */
export async function secureSearch(
  behind: string,
  { ca, serverCert, serverKey }: Certificates,
  authorizations: readonly string[],
): Promise<SecuredSearch> {
  const [authority, cert, key] = await Promise.all([ca, serverCert, serverKey].map((file) => readFile(file)));
  const answers = new Map<string, object>();
  const server = createServer(
    { ca: authority, cert, key, requestCert: true, rejectUnauthorized: true },
    (asked, answer) => {
      if (!authorizations.includes(asked.headers.authorization ?? '')) {
        const error = { type: 'security_exception', reason: 'unable to authenticate' };
        answer.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error, status: 401 }));
        return;
      }
      const own = answers.get(asked.url ?? '');
      if (own !== undefined) {
        answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(own));
        return;
      }
      const passed = request(
        new URL(asked.url ?? '/', behind),
        { method: asked.method, headers: asked.headers },
        (said) => {
          answer.writeHead(said.statusCode ?? 502, said.headers);
          said.pipe(answer);
        },
      );
      passed.on('error', () => answer.writeHead(502).end());
      asked.pipe(passed);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    answers,
    url: `https://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
