import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import { PreconditionError } from '../core/errors.js';
import type { Connection } from '../core/input/input.js';
import { readTls } from './grpc-health.js';
import { readSecret } from './secrets.js';

/** Where a frontend is and how to get in; fits `Connection.connect` as well as `NativeConnection.connect`. */
export interface ReachableBy {
  readonly address: string;
  readonly tls?: Exclude<ConnectionOptions['tls'], null | undefined>;
  readonly apiKey?: string;
  readonly metadata?: Record<string, string>;
}

/**
 * Reads what `connection` only names: certificates, the API key, or the profile of a temporal.toml. The result holds
 * secrets and stays in this process.
 * @throws PreconditionError that names the file, variable or profile that cannot be used
 */
export async function connectionOptions(connection: Connection): Promise<ReachableBy> {
  if ('profile' in connection) return fromProfile(connection.profile, connection.configFile);
  const { address, apiKey } = connection;
  // An API key never travels in the clear: Temporal's clients switch to TLS with one, and so does this.
  const tls = connection.tls ?? (apiKey === undefined ? undefined : true);
  return {
    address,
    ...(tls === undefined ? {} : { tls: await readTls(tls) }),
    ...(apiKey === undefined ? {} : { apiKey: await readSecret(apiKey) }),
  };
}

function fromProfile(profile: string, configFile: string | undefined): ReachableBy {
  const { address, tls, apiKey, metadata } = load(profile, configFile).connectionOptions;
  if (address === undefined) {
    throw new PreconditionError(
      `profile "${profile}" has no address; set it with: temporal config set --profile ${profile} --prop address --value HOST:PORT`,
      { profile },
    );
  }
  return {
    address,
    ...(tls === undefined || tls === null ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
  };
}

function load(profile: string, configFile: string | undefined): ClientConnectConfig {
  try {
    return loadClientConnectConfig({
      profile,
      ...(configFile === undefined ? {} : { configSource: { path: configFile } }),
      // TEMPORAL_ADDRESS and its like lead this worker to its own Temporal. Here they would turn a target into that.
      disableEnv: true,
    });
  } catch (error) {
    // Neither message nor cause of a parser: they quote the lines around the mistake, with the key that may stand there.
    const place = configFile ?? process.env['TEMPORAL_CONFIG_FILE'] ?? 'the standard temporal.toml';
    throw new PreconditionError(
      `profile "${profile}" of ${place} cannot be used by this worker: ${profileProblem(error)}`,
      { profile },
    );
  }
}

/** Which profile leads to the control plane; by the variables of the Temporal CLI when left out. */
export interface ProfileChoice {
  readonly profile?: string | undefined;
  /** Another file than TEMPORAL_CONFIG_FILE, or the standard one. */
  readonly configFile?: string | undefined;
}

/**
 * How the control plane is reached, by the same profiles, files and variables as the Temporal CLI. The result holds secrets and
 * stays in this process.
 * @throws PreconditionError that names the profile, and nothing of what stands in it
 */
export function controlPlaneConfig({ profile, configFile }: ProfileChoice): ClientConnectConfig {
  try {
    return loadClientConnectConfig({
      profile,
      ...(configFile === undefined ? {} : { configSource: { path: configFile } }),
    });
  } catch (error) {
    const named = profile ?? process.env['TEMPORAL_PROFILE'] ?? 'default';
    const place = configFile ?? process.env['TEMPORAL_CONFIG_FILE'] ?? 'the standard temporal.toml';
    // Neither message nor cause of a parser: they quote the lines around the mistake, with the key that may stand there.
    throw new PreconditionError(`profile "${named}" of ${place} cannot be used: ${profileProblem(error)}`);
  }
}

/** Why a temporal.toml cannot be read, without anything that stands in it: there may be keys. */
export function profileProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (/^Profile '.*' not found/.test(error.message)) return 'there is no such profile, or no such file';
  if ('path' in error && 'code' in error) return `${String(error.path)} cannot be read (${String(error.code)})`;
  if ('line' in error) return `it is not valid TOML, line ${String(error.line)}`;
  return 'it is not a valid configuration';
}
