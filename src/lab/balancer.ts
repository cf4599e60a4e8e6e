import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HEALTH_SERVICES } from '../adapters/grpc-health.js';
import { isRunning, listProcesses, signalProcess, type ProcessId } from '../adapters/process/linux-process.js';
import { startDetached } from '../adapters/run-command.js';
import { findFreePort } from './free-ports.js';
import { findHaproxy } from './haproxy-binary.js';
import { HOST } from './server-config.js';

/** What stands between clients and the frontends of a cluster. */
export interface Balancer {
  readonly address: string;
  stop(): Promise<void>;
}

const CONFIGURATION = 'haproxy.cfg';
const READY_MS = 10_000;

/** Stops every balancer whose configuration lies below `directory`, whoever started it. */
export async function stopBalancersBelow(directory: string): Promise<void> {
  const root = resolve(directory) + sep;
  for (const found of await listProcesses()) {
    if (found.argv.some((argument) => argument.startsWith(root) && argument.endsWith(`${sep}${CONFIGURATION}`)))
      await end(found);
  }
}

async function end(id: ProcessId): Promise<void> {
  await signalProcess(id, 'SIGKILL');
  while (await isRunning(id)) await sleep(50);
}

/**
 * Starts haproxy in front of `frontends`, as a balancer of connections: each new one goes to the next frontend whose gRPC health
 * is SERVING, those that are open stay where they are.
 */
export async function startBalancer(options: {
  readonly directory: string;
  readonly frontends: readonly string[];
}): Promise<Balancer> {
  const { frontends } = options;
  const directory = resolve(options.directory);
  await stopBalancersBelow(directory); // of an earlier lab that was killed
  const { program, env } = await findHaproxy();
  await mkdir(directory, { recursive: true });
  const port = await findFreePort();
  const file = join(directory, CONFIGURATION);
  await writeFile(file, configuration(port, frontends));
  // -db: no process of its own behind the one that is started here.
  const logFile = join(directory, 'haproxy.log');
  const { pid } = await startDetached(program, ['-db', '-f', file], { cwd: directory, logFile, env: { ...env } });
  const found = (await listProcesses()).find((candidate) => candidate.pid === pid);
  if (found === undefined) throw new Error(`haproxy ended at once; ${logFile} says why`);
  const stop = () => end(found);
  for (const deadline = Date.now() + READY_MS; !(await answers(port)); await sleep(50)) {
    if (Date.now() < deadline && (await isRunning(found))) continue;
    await stop();
    throw new Error(`haproxy does not listen; ${logFile} says why`);
  }
  return { address: `${HOST}:${port}`, stop };
}

function configuration(port: number, frontends: readonly string[]): string {
  const servers = frontends.map((address, index) => `  server frontend-${index + 1} ${address} check`);
  return `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen temporal
  bind ${HOST}:${port}
  balance roundrobin
  option tcp-check
  tcp-check connect
  tcp-check send-binary ${healthRequest(HEALTH_SERVICES.frontend)}
  tcp-check expect binary ${SERVING}
  default-server inter 1s fall 2 rise 2
${servers.join('\n')}
`;
}

/** A gRPC message of two bytes: field 1, SERVING. Any other status is another byte. */
const SERVING = '00000000020801';

/**
 * A whole HTTP/2 connection with one call of `grpc.health.v1.Health/Check`, in hexadecimal digits: haproxy has no check for gRPC.
 * Frames as in RFC 9113, section 4; headers as in RFC 7541, each spelled out but for those of its static table.
 */
function healthRequest(service: string): string {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const headers = Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    Buffer.from([0x04]), // :path, by its number
    text('/grpc.health.v1.Health/Check'),
    Buffer.from([0x01]), // :authority
    text('health'),
    Buffer.from([0x0f, 0x10]), // content-type: 31 is 15 and 16 more
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ]);
  const request = Buffer.concat([Buffer.from([0x0a]), text(service)]);
  const length = Buffer.alloc(5);
  length.writeUInt32BE(request.length, 1);
  return Buffer.concat([
    preface,
    frame(0x4, 0, 0, Buffer.alloc(0)), // SETTINGS
    frame(0x1, 0x4, 1, headers), // HEADERS, all of them
    frame(0x0, 0x1, 1, Buffer.concat([length, request])), // DATA, the end of the stream
  ]).toString('hex');
}

/** Length and bytes; both encodings agree on it for what is shorter than 127 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ host: HOST, port });
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
