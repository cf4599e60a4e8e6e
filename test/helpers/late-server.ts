import { once } from 'node:events';
import { createServer } from 'node:net';
import { findFreePort } from '../../src/lab/free-ports.js';

/** A port on which nobody listens yet, as of a server that is just starting. */
export interface LatePort {
  /** host:port */
  readonly address: string;
  /** Begins to listen. Every connection is ended at once, and counted. */
  listen(): Promise<LateServer>;
}

export interface LateServer extends AsyncDisposable {
  /** How many it had until now. */
  connections(): number;
}

/** Finds one. */
export async function findLatePort(): Promise<LatePort> {
  const port = await findFreePort();
  return {
    address: `127.0.0.1:${port}`,
    async listen() {
      let connections = 0;
      const server = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return {
        connections: () => connections,
        [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
      };
    },
  };
}
