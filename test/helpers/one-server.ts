import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth, HEALTH_SERVICES } from '../../src/adapters/grpc-health.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { findFreePort } from '../../src/lab/free-ports.js';

/**
 * A real Temporal server in one process (that of the CLI), with its database in a file of `directory`, so that it can be
 * killed and started again.
 */
export class OneServer {
  #child: ChildProcess | undefined;

  private constructor(
    readonly directory: string,
    readonly port: number,
    readonly cli: string,
  ) {}

  static async start(directory: string): Promise<OneServer> {
    const server = new OneServer(directory, await findFreePort(), await createToolResolver().temporalCli());
    await server.startAgain();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async startAgain(): Promise<void> {
    const log = openSync(join(this.directory, 'server.log'), 'a');
    const database = join(this.directory, 'temporal.db');
    const args = ['server', 'start-dev', '--headless', '--port', String(this.port), '--db-filename', database];
    this.#child = spawn(this.cli, [...args, '--log-level', 'error'], { stdio: ['ignore', log, log] });
    closeSync(log);
    for (let attempt = 0; (await checkHealth(this.address, HEALTH_SERVICES.frontend)) !== 'SERVING'; attempt += 1) {
      if (attempt > 300 || this.#child.exitCode !== null)
        throw new Error(`no server; see ${this.directory}/server.log`);
      await sleep(200);
    }
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
