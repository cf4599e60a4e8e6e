import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a port of this host that can be made slow, or shut. */
export interface TcpProxy {
  readonly port: number;
  /** Every piece of data waits that long, each way, from now on. */
  delayMs: number;
  /** Ends every connection and takes no more. */
  close(): Promise<void>;
}

/** Starts a proxy to `target`, a port of 127.0.0.1; at `at`, or wherever there is room. */
export async function startTcpProxy(target: number, at = 0): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const state = { delayMs: 0 };
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from);
    // Timers of one length fire in their order, so that the data stays in its own.
    const later = (work: () => void) => (state.delayMs === 0 ? work() : void setTimeout(work, state.delayMs));
    from.on('data', (data) => later(() => to.writable && to.write(data)));
    from.on('end', () => later(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => (sockets.delete(from), later(() => to.destroy())));
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(at, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    get delayMs() {
      return state.delayMs;
    },
    set delayMs(ms) {
      state.delayMs = ms;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
