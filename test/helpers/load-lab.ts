import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { runCommand } from '../../src/adapters/run-command.js';
import type { LoadOptions } from '../../src/load/load-options.js';
import { compileSource } from './compiled-source.js';
import { LoadRun } from './load-run.js';
import { OneServer } from './one-server.js';

/** A target of one server, and the load process built from the present sources. */
export class LoadLab {
  readonly #running: LoadRun[] = [];

  private constructor(
    readonly folder: string,
    readonly server: OneServer,
    readonly connection: Connection,
    private readonly compiled: ReturnType<typeof compileSource>,
  ) {}

  static async start(): Promise<LoadLab> {
    const folder = await mkdtemp(join(tmpdir(), 'load-lab-'));
    const compiled = compileSource(['core', 'adapters', 'load']);
    const server = await OneServer.start(folder);
    await runCommand(process.execPath, [join(compiled.directory, 'load', 'build-bundle.js')]);
    return new LoadLab(folder, server, await Connection.connect({ address: server.address }), compiled);
  }

  /** Where the compiled sources of the load are. */
  get sources(): string {
    return join(this.compiled.directory, 'load');
  }

  get mainFile(): string {
    return join(this.sources, 'main.js');
  }

  /** Starts a load, which is killed with the lab at the latest. */
  run(options: LoadOptions): LoadRun {
    const load = new LoadRun(options, this.mainFile);
    this.#running.push(load);
    return load;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#running.map((load) => load.kill()));
    await this.connection.close();
    await this.server.kill();
    this.compiled.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
