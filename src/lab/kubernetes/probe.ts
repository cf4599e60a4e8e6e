import { createConnection } from 'node:net';
import { checkHealth } from '../../adapters/grpc-health.js';
import type { Container } from './pod.js';

const TIMEOUT_MS = 1_000;

/** What the readiness probe of a container finds wrong, at once; undefined when it is ready, or has none. */
export async function problemOfProbe(
  { readinessProbe: probe, ports }: Container,
  podIp: string,
): Promise<string | undefined> {
  if (probe?.grpc !== undefined) {
    const { port, service = '' } = probe.grpc;
    const health = await checkHealth(`${podIp}:${port}`, service, undefined, TIMEOUT_MS);
    return health === 'SERVING' ? undefined : `service ${service} at ${podIp}:${port} is ${health}`;
  }
  if (probe?.tcpSocket === undefined) return undefined;
  const wanted = probe.tcpSocket.port;
  const port = typeof wanted === 'number' ? wanted : ports.find(({ name }) => name === wanted)?.containerPort;
  if (port === undefined) return `the container has no port named ${wanted}`;
  return (await accepts(podIp, port)) ? undefined : `dial tcp ${podIp}:${port}: connection refused`;
}

async function accepts(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ host, port, timeout: TIMEOUT_MS });
  socket.once('connect', () => resolve(true));
  for (const end of ['error', 'timeout'] as const) socket.once(end, () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
