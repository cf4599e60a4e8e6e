import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';
import { readShardsByAdmin } from '../adapters/cluster/admin-shards.js';
import type { ShardSource } from './shard-tables.js';

/** `history_shard_count` of `GetClusterInfoResponse`, `shard_id` of `GetShardRequest`, `shard_info` of its response. */
const [SHARD_COUNT, SHARD_ID, SHARD_INFO] = [6, 1, 1];
const LENGTH_DELIMITED = 2;
const UNIMPLEMENTED = '12';

/**
 * Shards of a frontend that answers from memory: what asking for them one by one costs the worker is measured, not what
 * reading them costs the history processes. It answers in this very process, so its own time counts too.
 */
export async function startShardFrontend(shards: number): Promise<ShardSource> {
  const blobs = new Map<number, Uint8Array>();
  const methods: Readonly<Record<string, (request: Uint8Array) => Uint8Array>> = {
    GetSystemInfo: () => new Uint8Array(),
    GetClusterInfo: () =>
      protobuf.Writer.create()
        .uint32(SHARD_COUNT * 8)
        .int32(shards)
        .finish(),
    GetShard: (request) => {
      const reader = protobuf.Reader.create(request);
      const shardId = reader.uint32() === SHARD_ID * 8 ? reader.int32() : NaN;
      return protobuf.Writer.create()
        .uint32(SHARD_INFO * 8 + LENGTH_DELIMITED)
        .bytes(blobs.get(shardId) ?? new Uint8Array())
        .finish();
    },
  };
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined); // the client has gone
    const name = String(headers[constants.HTTP2_HEADER_PATH]).split('/').at(-1) ?? '';
    void buffer(stream).then((request) => answer(stream, methods[name]?.(request.subarray(FRAME_BYTES))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = server.address();
  const port = typeof place === 'object' && place !== null ? place.port : 0;
  return {
    product: 'an AdminService in the same process',
    write: (rows) => {
      for (const { shardId, blob } of rows) blobs.set(shardId, blob);
      return Promise.resolve();
    },
    readShards: () => readShardsByAdmin({ address: `127.0.0.1:${port}` }),
    stop: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Before each message of gRPC: whether it is compressed, and its length. */
const FRAME_BYTES = 5;

function answer(stream: ServerHttp2Stream, response: Uint8Array | undefined): void {
  if (stream.destroyed) return;
  const status = response === undefined ? UNIMPLEMENTED : '0';
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  if (response === undefined) {
    stream.end();
    return;
  }
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(response.length, 1);
  stream.end(Buffer.concat([frame, response]));
}
