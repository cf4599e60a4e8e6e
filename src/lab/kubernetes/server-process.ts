import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, open } from 'node:fs/promises';
import { constants } from 'node:os';
import { inheritedEnvironment } from '../../adapters/run-command.js';

/** A program that runs as a container's process: stopped with a patience that only its end knows, and asked for its exit code. */
export class ServerProcess {
  /** Exit code; 128 and its number after a signal, as of a container. */
  readonly exited: Promise<number>;

  private constructor(
    private readonly child: ChildProcess,
    logFile: string,
  ) {
    this.exited = (async () => {
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]; // as Node documents it
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      await appendFile(logFile, `ended with exit code ${exitCode}\n`);
      return exitCode;
    })();
  }

  /** Its output goes to `logFile`. @throws Error when it cannot be started */
  static async start(
    program: string,
    args: readonly string[],
    {
      env,
      cwd,
      logFile,
    }: { readonly env: Readonly<Record<string, string>>; readonly cwd: string; readonly logFile: string },
  ): Promise<ServerProcess> {
    const log = await open(logFile, 'a');
    try {
      const child = spawn(program, args, {
        env: { ...inheritedEnvironment(), ...env },
        cwd,
        stdio: ['ignore', log.fd, log.fd],
      });
      const process = new ServerProcess(child, logFile);
      await once(child, 'spawn');
      return process;
    } finally {
      await log.close();
    }
  }

  /** SIGTERM, and SIGKILL when it has not ended within `graceMs` milliseconds. */
  async stop(graceMs: number): Promise<void> {
    this.child.kill(graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
  }
}
