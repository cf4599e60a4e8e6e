import { createServer } from 'node:net';
import { Reservations } from './reservation.js';

/** Below the ports that Linux gives to outgoing connections (32768 and up), so that none of those is in the way later. */
const FIRST = 18_000;
const LAST = 31_999;

/**
 * Finds `count` TCP ports that are free on 127.0.0.1, and keeps them for this process: another lab, in this process or
 * another one, gets others until this process ends, though nothing may listen on them yet.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const reservations = await Reservations.of('ports');
  const ports: number[] = [];
  let candidate = FIRST + Math.floor(Math.random() * (LAST - FIRST));
  for (let tried = 0; ports.length < count; tried++) {
    if (tried > LAST - FIRST) throw new Error(`no ${count} free ports between ${FIRST} and ${LAST} on 127.0.0.1`);
    candidate = candidate === LAST ? FIRST : candidate + 1;
    if ((await reservations.take(String(candidate))) && (await isFree(candidate))) ports.push(candidate);
  }
  return ports;
}

/** One free port; see {@link findFreePorts}. */
export async function findFreePort(): Promise<number> {
  const [port] = await findFreePorts(1);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => done(true)));
  });
}
