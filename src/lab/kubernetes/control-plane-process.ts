import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDetached } from '../../adapters/run-command.js';
import { KeptProcess } from '../kept-process.js';

/** In the order in which they are stopped: what talks to another one ends before it. */
export const CONTROL_PLANE = ['kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'] as const;
export type ControlPlaneName = (typeof CONTROL_PLANE)[number];

/** One process of the control plane. Its id is kept in the lab's folder, so that a later run finds it. */
export class ControlPlaneProcess {
  private readonly kept: KeptProcess;

  constructor(
    readonly name: ControlPlaneName,
    private readonly directory: string,
    /** Program and arguments. */
    private readonly command: readonly string[],
  ) {
    this.kept = new KeptProcess(join(directory, `${name}.json`));
  }

  /** Starts it where it does not run. @throws CommandError when it cannot be started */
  async start(): Promise<void> {
    if (await this.isRunning()) return;
    const [program = '', ...args] = this.command;
    const { pid } = await startDetached(program, args, { cwd: this.directory, logFile: this.logFile(), env: {} });
    await this.kept.keep(pid);
  }

  async isRunning(): Promise<boolean> {
    return (await this.kept.running()) !== undefined;
  }

  /** Kills it: an API server that is asked to end takes seconds, and nothing of a lab is to be kept. */
  async stop(): Promise<void> {
    await this.kept.stop(0);
  }

  /** The end of what it wrote. */
  async logTail(): Promise<string> {
    const log = await readFile(this.logFile(), 'utf8').catch(() => '');
    return log.trimEnd().split('\n').slice(-12).join('\n');
  }

  private logFile(): string {
    return join(this.directory, `${this.name}.log`);
  }
}
