import { readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning, signalProcess, type ProcessId } from '../adapters/process/linux-process.js';

/** A process whose id is kept in a file, so that a later run of the lab finds it. */
export class KeptProcess {
  constructor(private readonly file: string) {}

  /** Keeps the process `pid`; undefined when it has ended already. */
  async keep(pid: number): Promise<ProcessId | undefined> {
    const id = await identify(pid);
    await writeFile(this.file, JSON.stringify(id ?? null));
    return id;
  }

  /** Its id while it runs. */
  async running(): Promise<ProcessId | undefined> {
    const text = await readFile(this.file, 'utf8').catch(() => 'null');
    const id = JSON.parse(text) as ProcessId | null; // written above
    return id !== null && (await isRunning(id)) ? id : undefined;
  }

  /** Ends it, and kills it when it has not ended within `withinMs`. Does nothing when it does not run. */
  async stop(withinMs: number): Promise<void> {
    const id = await this.running();
    if (id === undefined) return;
    await signalProcess(id, 'SIGTERM');
    const deadline = Date.now() + withinMs;
    while (await isRunning(id)) {
      if (Date.now() > deadline) await signalProcess(id, 'SIGKILL');
      await sleep(100);
    }
  }

  /** Ends it at once, as `kill -9` does. Does nothing when it does not run. */
  async kill(): Promise<void> {
    const id = await this.running();
    if (id === undefined) return;
    await signalProcess(id, 'SIGKILL');
    while (await isRunning(id)) await sleep(50);
  }
}

/** Whether somebody takes a connection at a port of `host`, and says something where `greets`. */
export async function answersAt(port: number, { greets = false, host = '127.0.0.1' } = {}): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ host, port, timeout: 2_000 });
  socket.once(greets ? 'data' : 'connect', () => resolve(true));
  for (const end of ['error', 'timeout', 'close'] as const) socket.once(end, () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
