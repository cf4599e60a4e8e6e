import { createServer, type ServerHttp2Stream } from 'node:http2';
import proto from '@temporalio/proto';
import { numbered, stepsOfRuns } from './right-history.js';

const { GetSystemInfoResponse, GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse } =
  proto.temporal.api.workflowservice.v1;
/** gRPC puts before each message whether it is compressed, and its length. */
const PREFIX = 5;
const UNIMPLEMENTED = '12';

/**
 * A process that answers as a frontend does when it is asked for the history of a canary: with the right one, for any
 * number. Stands in where a million real workflows would take hours; what is measured is the side that asks. Prints its
 * port, and ends when its stdin does.
 */
function answer(path: string, request: Uint8Array): Uint8Array | undefined {
  if (path.endsWith('/GetSystemInfo')) return GetSystemInfoResponse.encode({ serverVersion: '1.0.0' }).finish();
  if (!path.endsWith('/GetWorkflowExecutionHistory')) return undefined;
  const workflowId = GetWorkflowExecutionHistoryRequest.decode(request).execution?.workflowId ?? '';
  const number = Number(workflowId.slice(workflowId.lastIndexOf('-') + 1));
  const [events = []] = stepsOfRuns(number, 'steps', workflowId);
  return GetWorkflowExecutionHistoryResponse.encode({ history: { events: numbered(events) } }).finish();
}

function respond(stream: ServerHttp2Stream, path: string, request: Uint8Array): void {
  const message = answer(path, request);
  if (message === undefined) {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-status': UNIMPLEMENTED },
      { endStream: true },
    );
    return;
  }
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([prefix, message]));
}

const server = createServer();
server.on('stream', (stream, headers) => {
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.on('end', () => respond(stream, String(headers[':path']), Buffer.concat(parts).subarray(PREFIX)));
  stream.on('error', () => undefined); // the one that asked is gone
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : ''}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
