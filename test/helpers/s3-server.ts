import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runGo } from '../../src/adapters/tools/go-command.js';
import { defaultCacheDir } from '../../src/adapters/cache-dir.js';
import { findFreePort } from '../../src/lab/free-ports.js';

const VERSION = '1.8.0';
const MODULE = 'github.com/versity/versitygw/cmd/versitygw';
const BUCKET = 'backups';
const KEY = { access: 'lab-access', secret: 'lab-secret-of-the-object-store' };

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly access: string;
  readonly secret: string;
  /** Folder in which its objects lie as files, under their keys. */
  readonly objects: string;
  stop(): Promise<void>;
}

/** A real object store: the Versity S3 Gateway on a folder, out of the Go module proxy, with one bucket. */
export async function startS3(folder: string): Promise<S3Server> {
  const program = await versitygw();
  const objects = join(folder, BUCKET);
  await mkdir(objects, { recursive: true });
  const port = await findFreePort();
  const child = spawn(program, ['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', 'posix', folder], {
    env: { PATH: process.env['PATH'], ROOT_ACCESS_KEY: KEY.access, ROOT_SECRET_KEY: KEY.secret },
    stdio: 'ignore',
  });
  await waitUntilUp(child, port);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { endpoint: `http://127.0.0.1:${port}`, bucket: BUCKET, ...KEY, objects, stop };
}

async function waitUntilUp(child: ChildProcess, port: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await answers(port)); await sleep(50)) {
    if (child.exitCode === null && Date.now() < deadline) continue;
    child.kill('SIGKILL');
    throw new Error('versitygw did not start');
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection({ host: '127.0.0.1', port });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

async function versitygw(): Promise<string> {
  const folder = join(defaultCacheDir(), `versitygw-${VERSION}`);
  const program = join(folder, 'versitygw');
  if (await isThere(program)) return program;
  await mkdir(defaultCacheDir(), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await runGo(['install', `${MODULE}@v${VERSION}`], { cwd: work, env: { GOBIN: work } }, {});
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await isThere(program))) throw error; // else somebody was faster
    });
    return program;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
