import { realpath } from 'node:fs/promises';
import { codeOf } from '../../core/errors.js';
import type { FoundDynamicConfig } from '../../core/cluster.js';
import type { Role, ServerNode } from '../../core/input/input.js';
import { dynamicClientFacts } from '../process/configuration-facts.js';
import { NotReadableError } from '../process/parse-configuration.js';
import { placeOf, readConfigurationFiles } from '../process/read-configuration.js';
import { readGoDuration } from './go-duration.js';

/** A node whose dynamic configuration is looked for. */
export interface ConfiguredNode extends Pick<ServerNode, 'name' | 'role' | 'configDir' | 'configEnv'> {
  readonly running: boolean;
  /** File that the output of its process goes to; absent where nobody here can read it. */
  readonly logFile?: string | undefined;
  /** Process id of its server; absent when it does not run, or on another host. */
  readonly pid?: number | undefined;
  /** What its driver found, where the server sees other paths than the worker. */
  readonly found?: FoundDynamicConfig | undefined;
}

/** A file of dynamic configuration, with the nodes that read it. */
export interface DynamicFile {
  /** Where it really is: links are followed, so that a file that several nodes share is there once. */
  readonly path: string;
  /** Longest time between two looks of a server at it, in milliseconds. */
  readonly pollMs: number;
  readonly nodes: readonly DynamicFileNode[];
}

export interface DynamicFileNode {
  readonly name: string;
  readonly role: Role;
  /** A node that does not run reads the file when it starts. */
  readonly running: boolean;
  /** Where its server writes down each key that has changed; absent where it does not, or nobody here can read it. */
  readonly logFile?: string | undefined;
}

export interface DynamicFiles {
  readonly files: readonly DynamicFile[];
  /** Nodes whose file was not found, and why. */
  readonly unreached: readonly { readonly node: string; readonly reason: string }[];
}

/** A server refuses to start without one of at least 5 s, so that one is there; a template of it may not be readable. */
const UNKNOWN_POLL_MS = 60_000;

/** Levels at which a server does not tell of changed keys, which it does with `info`. */
export const SILENT = ['warn', 'error', 'dpanic', 'panic', 'fatal'];

/** The files that the servers of `nodes` take their dynamic configuration from. */
export async function findDynamicFiles(nodes: readonly ConfiguredNode[]): Promise<DynamicFiles> {
  const found = await Promise.all(nodes.map(look));
  const byPath = Map.groupBy(
    found.filter((one) => 'path' in one),
    ({ path }) => path,
  );
  return {
    files: [...byPath].map(([path, same]) => ({
      path,
      pollMs: Math.max(...same.map(({ pollMs }) => pollMs)),
      nodes: same.map(({ node }) => node),
    })),
    unreached: found.filter((one) => 'reason' in one),
  };
}

type Look =
  | { readonly path: string; readonly pollMs: number; readonly node: DynamicFileNode }
  | { readonly node: string; readonly reason: string };

async function look(node: ConfiguredNode): Promise<Look> {
  const { name, role, running, configDir, configEnv, logFile, pid, found } = node;
  if (found !== undefined) return lookAtFound(node, found);
  if (configDir === undefined)
    return { node: name, reason: 'the input names no "configDir" that this worker could read' };
  try {
    const { file, pollInterval, logLevel, logOutputFile } = dynamicClientFacts(
      await readConfigurationFiles({ configDir, configEnv }),
    );
    if (file === undefined) {
      return { node: name, reason: 'its configuration names no file of dynamic configuration (dynamicConfigClient)' };
    }
    const place = await placeOf(file, pid);
    const path = await realpath(place).catch((error: unknown) => {
      throw new NotReadableError(`${place} cannot be found by this worker (${codeOf(error) ?? 'unknown reason'})`);
    });
    const log = logOutputFile === undefined ? logFile : await placeOf(logOutputFile, pid);
    return {
      path,
      pollMs: readGoDuration(pollInterval) ?? UNKNOWN_POLL_MS,
      node: {
        name,
        role,
        running,
        logFile: SILENT.includes(logLevel.toLowerCase()) ? undefined : log,
      },
    };
  } catch (error) {
    if (error instanceof NotReadableError) return { node: name, reason: error.message };
    throw error;
  }
}

/** The place is the driver's word; how often the server looks at it, and what it writes down, is its configuration's, where that is there. */
async function lookAtFound(
  { name, role, running, configDir, configEnv }: ConfiguredNode,
  { file, unreached, logFile }: FoundDynamicConfig,
): Promise<Look> {
  if (file === undefined) return { node: name, reason: unreached ?? 'its driver does not tell where its file is' };
  try {
    const facts =
      configDir === undefined ? undefined : dynamicClientFacts(await readConfigurationFiles({ configDir, configEnv }));
    const path = await realpath(file).catch((error: unknown) => {
      throw new NotReadableError(`${file} cannot be found by this worker (${codeOf(error) ?? 'unknown reason'})`);
    });
    const isTold = facts?.logOutputFile === undefined && !SILENT.includes((facts?.logLevel ?? 'info').toLowerCase());
    return {
      path,
      pollMs: readGoDuration(facts?.pollInterval) ?? UNKNOWN_POLL_MS,
      node: { name, role, running, logFile: isTold ? logFile : undefined },
    };
  } catch (error) {
    if (error instanceof NotReadableError) return { node: name, reason: error.message };
    throw error;
  }
}
