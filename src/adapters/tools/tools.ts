import type { Work } from '../store.js';
import type { ToolAttempt } from './tool-unavailable.js';

/** A program of a Temporal release that the roll-out runs. Names are those of the official archives. */
export type ServerTool = 'temporal-server' | 'temporal-sql-tool' | 'temporal-cassandra-tool';

/** Finds the programs of a version, and brings them when they are not there. */
export interface ToolResolver {
  /** Path of the Temporal CLI, at least of the version that this project needs. @throws ToolUnavailableError */
  temporalCli(work?: Work): Promise<string>;
  /** Path of `tool` of server `version`, checked by asking the binary. @throws ToolUnavailableError */
  serverTool(tool: ServerTool, version: string, work?: Work): Promise<string>;
  /** Whether `tool` is at hand, and where it would come from otherwise. Brings nothing. */
  lookForServerTool(tool: ServerTool, version: string, work?: Work): Promise<ToolPlace>;
  /**
   * Folder of the versioned schema scripts of `store`, such as `postgresql/v12/temporal`, of exactly that server `version`:
   * what older schema tools want as `--schema-dir`. @throws ToolUnavailableError
   */
  schemaScripts(store: string, version: string, work?: Work): Promise<string>;
}

/** `at`: its path. `from`: the places that would be tried in order, none where an operator's folder forbids it. */
export type ToolPlace =
  { readonly at: string } | { readonly from: readonly string[]; readonly tried: readonly ToolAttempt[] };

export { ToolUnavailableError, type ToolAttempt } from './tool-unavailable.js';
