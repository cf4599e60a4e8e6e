import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, listProcesses } from '../adapters/process/linux-process.js';

/** Names of one kind that only one process of this host may have at a time, kept until that process ends. */
export class Reservations {
  private constructor(
    private readonly folder: string,
    private readonly self: string,
  ) {}

  /** Those of `kind`, such as `ports`, of this user. */
  static async of(kind: string): Promise<Reservations> {
    const folder = join(tmpdir(), `temporal-upgrade-lab-${kind}-${process.getuid?.() ?? 0}`);
    await mkdir(folder, { recursive: true });
    const own = (await listProcesses()).find(({ pid }) => pid === process.pid);
    return new Reservations(folder, `${process.pid}:${own?.startTicks ?? ''}`);
  }

  /** Whether `name` is now this process's own, and was nobody's before. What a dead process has left is void. */
  async take(name: string): Promise<boolean> {
    const file = join(this.folder, name);
    if (await this.create(file)) return true;
    const holder = await readFile(file, 'utf8').catch(() => '');
    const [pid = '', startTicks = ''] = holder.split(':');
    if (startTicks === '' || (await isRunning({ pid: Number(pid), startTicks }))) return false;
    await rm(file, { force: true });
    return this.create(file);
  }

  /** Gives `name` back before this process ends. */
  async release(name: string): Promise<void> {
    await rm(join(this.folder, name), { force: true });
  }

  /** A reservation is a file that only one process can create. */
  private async create(file: string): Promise<boolean> {
    return writeFile(file, this.self, { flag: 'wx' }).then(
      () => true,
      () => false,
    );
  }
}
