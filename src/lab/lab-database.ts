import type { SqlStore } from '../core/input/input.js';

/** A database server of the lab, of whichever kind. */
export interface LabDatabase {
  readonly type: SqlStore['type'];
  /** Plugin by which Temporal's servers and tools speak to it. */
  readonly plugin: SqlStore['plugin'];
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** File that holds the password, for this user alone. */
  readonly passwordFile: string;
  /** What servers and tools have to set on each connection: system variables of MySQL's driver, with their quotes. */
  readonly connectAttributes?: Readonly<Record<string, string>>;
  /** Folder of the programs that dump and restore a database of it. */
  readonly binDir: string;
  /** Variable that names this folder to a worker. */
  readonly binVariable: string;
  /** Makes a database where there is none of that name. */
  createDatabase(name: string): Promise<void>;
  hasTable(database: string, table: string): Promise<boolean>;
  /** Carries out one statement. */
  run(database: string, statement: string): Promise<void>;
  /** Stops the server; data in a folder of its own choice is removed. */
  stop(): Promise<void>;
}
