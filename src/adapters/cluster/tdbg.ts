import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import type { Connection } from '../../core/input.js';
import { connectionOptions, type ReachableBy } from '../connection-options.js';
import { runCommand } from '../run-command.js';
import type { ToolResolver } from '../tools/tools.js';

/** Longest that one question may take, in seconds. */
const TIMEOUT_SECONDS = 10;

/** Role to addresses of its members, in order, as one frontend sees them. */
export type Rings = Readonly<Record<string, readonly string[]>>;

const GossipOutput = z.array(
  z.object({ role: z.string(), members: z.array(z.object({ identity: z.string() })).default([]) }),
);

/** Administrative questions to a cluster, asked with Temporal's own `tdbg`. */
export interface Tdbg {
  /** Ring members as the frontend at `address` sees them; the connection's own when left out. */
  listRings(address?: string): Promise<Rings>;
}

export interface TdbgOptions {
  readonly connection: Connection;
  /**
   * Server version whose tdbg is used. The call is the same since 1.18 and was run from 1.28 to 1.31 against each other,
   * so any will do: take the version that the hop goes to, which has to be at hand anyway.
   */
  readonly version: string;
  readonly tools: ToolResolver;
}

/** @throws ToolUnavailableError; PreconditionError when the connection needs an API key, which tdbg cannot send */
export async function createTdbg({ connection, version, tools }: TdbgOptions): Promise<Tdbg> {
  const reachableBy = await connectionOptions(connection);
  if (reachableBy.apiKey !== undefined) {
    throw new PreconditionError(
      'tdbg cannot send an API key, so the ring cannot be seen through this connection; give one with a client ' +
        'certificate, or the address of an internal frontend',
    );
  }
  const program = await tools.serverTool('tdbg', version);
  const run = async (args: readonly string[], address = reachableBy.address): Promise<unknown> => {
    const { environment, remove } = await tlsEnvironment(reachableBy.tls, address);
    try {
      const { stdout } = await runCommand(
        program,
        ['--address', address, '--context-timeout', String(TIMEOUT_SECONDS), ...args],
        { env: environment, secrets: [], timeoutMs: 2 * TIMEOUT_SECONDS * 1_000 },
      );
      return parseJson(stdout, args);
    } finally {
      await remove();
    }
  };
  return {
    listRings: async (address) => ringsOf(await run(['membership', 'list-gossip'], address)),
  };
}

function parseJson(text: string, args: readonly string[]): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`tdbg ${args.slice(0, 2).join(' ')} printed no JSON: ${text.slice(0, 200)}`, { cause });
  }
}

/** Reads what `tdbg membership list-gossip` prints. @throws ZodError when it has another shape */
export function ringsOf(output: unknown): Rings {
  return Object.fromEntries(
    GossipOutput.parse(output).map(({ role, members }) => [role, members.map(({ identity }) => identity).sort()]),
  );
}

/** tdbg wants files; a profile may hold its certificates as text, so they are put into a private folder for one call. */
async function tlsEnvironment(
  tls: ReachableBy['tls'],
  address: string,
): Promise<{ readonly environment: Record<string, string>; readonly remove: () => Promise<void> }> {
  if (tls === undefined || tls === false) return { environment: {}, remove: () => Promise.resolve() };
  const given = tls === true ? {} : tls;
  const folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-tdbg-'));
  const files = [
    ['TEMPORAL_CLI_TLS_CA', given.serverRootCACertificate],
    ['TEMPORAL_CLI_TLS_CERT', given.clientCertPair?.crt],
    ['TEMPORAL_CLI_TLS_KEY', given.clientCertPair?.key],
  ] as const;
  const environment: Record<string, string> = {
    // Also what turns TLS on when there is no certificate at all.
    TEMPORAL_CLI_TLS_SERVER_NAME: given.serverNameOverride ?? address.slice(0, address.lastIndexOf(':')),
  };
  for (const [name, content] of files) {
    if (!content) continue;
    environment[name] = join(folder, name);
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
  return { environment, remove: () => rm(folder, { recursive: true, force: true }) };
}
