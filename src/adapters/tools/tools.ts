import type { Work } from '../store.js';

/** A program of a Temporal release that the roll-out runs. Names are those of the official archives. */
export type ServerTool = 'temporal-server' | 'temporal-sql-tool' | 'temporal-cassandra-tool' | 'tdbg';

/** Finds the programs of a version, and brings them when they are not there. */
export interface ToolResolver {
  /** Path of the Temporal CLI, at least of the version that this project needs. @throws ToolUnavailableError */
  temporalCli(work?: Work): Promise<string>;
  /** Path of `tool` of server `version`, checked by asking the binary. @throws ToolUnavailableError */
  serverTool(tool: ServerTool, version: string, work?: Work): Promise<string>;
}

export { ToolUnavailableError, type ToolAttempt } from './tool-unavailable.js';
