import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import type { ControlPlaneOptions } from '../client.js';
import type { OutputFormat } from './output.js';

export type CommonOptions = ControlPlaneOptions & { readonly output: OutputFormat };

/** Adds what every command that talks to the control plane takes: the names are those of the Temporal CLI. */
export function withControlPlane(command: Command): Command {
  return command
    .addOption(new Option('--address <host:port>', 'frontend of the control plane').env('TEMPORAL_ADDRESS'))
    .addOption(new Option('-n, --namespace <name>', 'namespace of the roll-outs').env('TEMPORAL_NAMESPACE'))
    .addOption(new Option('--profile <name>', 'profile of temporal.toml').env('TEMPORAL_PROFILE'))
    .option('--config-file <path>', 'another temporal.toml than TEMPORAL_CONFIG_FILE, or the standard one')
    .addOption(new Option('--identity <name>', 'who events say it was; user@host when left out'));
}

/** Adds `--output`. */
export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'text, or json or yaml for programs')
      .choices(['text', 'json', 'yaml'])
      .default('text'),
  );
}

/** Who runs the command, as far as the operating system knows; what a decision says of itself, not a proof. */
export function localUser(): string {
  return userInfo().username;
}
