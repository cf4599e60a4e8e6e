import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Session } from 'node:http2';
import { buffer } from 'node:stream/consumers';

/** What a method answers: bytes of the response, or a {@link GrpcError}. */
export type GrpcMethod = (request: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Thrown by a method: the call fails with this status. */
export class GrpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const UNIMPLEMENTED = 12;
const INTERNAL = 13;

export interface GrpcServer {
  /** host:port, without TLS. */
  readonly address: string;
  /** Ends every connection, with the calls under way; new ones are taken. */
  dropConnections(): void;
  close(): Promise<void>;
}

/**
 * A gRPC server of unary calls, to give a client answers that a healthy Temporal does not give. `methods` go by their bare
 * name, such as `GetSystemInfo`; what is not there is UNIMPLEMENTED. Looked up for each call, so that a test may change it.
 */
export async function startGrpcServer(methods: Readonly<Record<string, GrpcMethod>>): Promise<GrpcServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined); // the client has gone
    const name = String(headers[constants.HTTP2_HEADER_PATH]).split('/').at(-1) ?? '';
    const answer = async () => {
      const request = await buffer(stream);
      const method = methods[name];
      if (method === undefined) throw new GrpcError(UNIMPLEMENTED, `no method ${name} here`);
      return method(request.subarray(5));
    };
    answer().then(
      (response) => {
        if (stream.destroyed) return;
        const prefix = Buffer.alloc(5);
        prefix.writeUInt32BE(response.length, 1);
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.end(Buffer.concat([prefix, response]));
      },
      (error: unknown) => {
        if (stream.destroyed) return;
        const [code, message] = error instanceof GrpcError ? [error.code, error.message] : [INTERNAL, String(error)];
        const trailers = { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(message) };
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const dropConnections = () => {
    for (const session of sessions) session.destroy();
  };
  return {
    address: `127.0.0.1:${port}`,
    dropConnections,
    close: async () => {
      dropConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
