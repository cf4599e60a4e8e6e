import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A door before a server that lets every request through but the first kind that it is to hold: that one is never answered. */
export interface HeldDoor {
  readonly url: string;
  /** The first request that is held has come. */
  readonly arrived: Promise<void>;
  /** Ends it, with every connection through it. */
  close(): Promise<void>;
}

/** Opens one before `behind`; `holds` tells which requests stay in it. */
export async function heldDoor(behind: string, holds: (asked: IncomingMessage) => boolean): Promise<HeldDoor> {
  const arrived = Promise.withResolvers<void>();
  const server = createServer((asked, answer) => {
    if (holds(asked)) {
      arrived.resolve();
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
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    arrived: arrived.promise,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
