import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, listProcesses } from '../adapters/process/linux-process.js';

/** Below the ports that Linux gives to outgoing connections (32768 and up), so that none of those is in the way later. */
const FIRST = 18_000;
const LAST = 31_999;

/**
 * Finds `count` TCP ports that are free on 127.0.0.1, and keeps them for this process: another lab, in this process or
 * another one, gets others until this process ends, though nothing may listen on them yet.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const folder = join(tmpdir(), `temporal-upgrade-lab-ports-${process.getuid?.() ?? 0}`);
  await mkdir(folder, { recursive: true });
  const self = await ownIdentity();
  const ports: number[] = [];
  let candidate = FIRST + Math.floor(Math.random() * (LAST - FIRST));
  for (let tried = 0; ports.length < count; tried++) {
    if (tried > LAST - FIRST) throw new Error(`no ${count} free ports between ${FIRST} and ${LAST} on 127.0.0.1`);
    candidate = candidate === LAST ? FIRST : candidate + 1;
    if ((await reserve(join(folder, String(candidate)), self)) && (await isFree(candidate))) ports.push(candidate);
  }
  return ports;
}

/** One free port; see {@link findFreePorts}. */
export async function findFreePort(): Promise<number> {
  const [port] = await findFreePorts(1);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}

async function ownIdentity(): Promise<string> {
  const own = (await listProcesses()).find(({ pid }) => pid === process.pid);
  return `${process.pid}:${own?.startTicks ?? ''}`;
}

/** A reservation is a file that only one process can create; one that was left behind by a dead process is void. */
async function reserve(file: string, self: string): Promise<boolean> {
  if (await createFile(file, self)) return true;
  const holder = await readFile(file, 'utf8').catch(() => '');
  const [pid = '', startTicks = ''] = holder.split(':');
  if (startTicks === '' || (await isRunning({ pid: Number(pid), startTicks }))) return false;
  await rm(file, { force: true });
  return createFile(file, self);
}

async function createFile(file: string, content: string): Promise<boolean> {
  return writeFile(file, content, { flag: 'wx' }).then(
    () => true,
    () => false,
  );
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => done(true)));
  });
}
