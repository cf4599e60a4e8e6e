import { z } from 'zod';
import { ComposeDriver } from './compose.js';
import { AbsolutePath, commandTemplate, Environment, reportPlaceholders, timing } from './driver-parts.js';
import { FilePath, HostAndPort, Role, type SecretRef } from './fields.js';
import { anyShape, reportFolderProblems, reportNodeProblems, reportUnitProblems } from './input-checks.js';
import { KubernetesDriver } from './kubernetes.js';

/** How the servers of a target are replaced, as an operator writes it: one shape for each driver. */

/** What every node of every driver has. */
const named = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dot, dash or underscore')
    .describe('What people call this process.'),
  role: Role.describe('The service that it runs; one a process.'),
  rpcAddress: HostAndPort.describe('Where its gRPC port answers.'),
  metricsAddress: HostAndPort.optional().describe('Where it serves Prometheus metrics at /metrics.'),
};

const ConfigEnv = z
  .string()
  .min(1)
  .default('development')
  .describe('Name of the configuration file without .yaml: --env.');
/** Files of a node that are not needed to run it; what depends on one that is left out is said to be not seen. */
const readable = {
  configDir: AbsolutePath.optional().describe(
    'Absolute folder of its configuration, where the worker can read it; for checks and the backup.',
  ),
  configEnv: ConfigEnv,
  logFile: FilePath.optional().describe('File that its output goes to, where the worker can read it.'),
};

/** A node of a target as surveys and measurements know it, whatever its driver. */
export interface ServerNode {
  readonly name: string;
  readonly role: Role;
  readonly rpcAddress: string;
  readonly metricsAddress?: string | undefined;
  /** Absent where the worker cannot read it. */
  readonly configDir?: string | undefined;
  readonly configEnv: string;
  /** Absent where the worker cannot read it. */
  readonly logFile?: string | undefined;
  /** What its server is given beside its configuration; values that are references are secrets. */
  readonly environment?: Readonly<Record<string, string | SecretRef>> | undefined;
}

/** One server process of a target that is run as plain processes. */
export const ProcessNode = z.strictObject({
  ...named,
  configDir: AbsolutePath.describe(
    'Absolute folder of its configuration, given to the server as --config. One folder a node.',
  ),
  configEnv: ConfigEnv,
  logFile: FilePath.describe('File that its output is appended to.'),
  environment: Environment,
});
export type ProcessNode = z.infer<typeof ProcessNode>;

export const ProcessDriver = z.strictObject({
  type: z.literal('process').describe('Plain processes on the host of the worker.'),
  nodes: z
    .array(ProcessNode)
    .min(1)
    .superRefine(reportNodeProblems, anyShape)
    .superRefine(reportFolderProblems, anyShape)
    .describe('Every process of the cluster.'),
  allowNoAuth: z.boolean().default(false).describe('Start servers with --allow-no-auth.'),
  ...timing,
});
export type ProcessDriver = z.infer<typeof ProcessDriver>;

/** One server process of a target that is a systemd service. */
export const SystemdNode = z.strictObject({
  ...named,
  unit: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9:_.\\@-]*\.service$/, 'expected a unit in full, such as "temporal-history.service"')
    .describe('Name of its unit in full.'),
  host: z
    .string()
    // Not with a dash at its beginning: ssh would take it for an option.
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@:-]*$/, 'expected what ssh connects to, such as "db1" or "temporal@10.0.0.5"')
    .optional()
    .describe('Where ssh reaches it: a host, or a name of ssh_config. The worker’s own host when left out.'),
  ...readable,
});
export type SystemdNode = z.infer<typeof SystemdNode>;

/** A path that stands in a unit file as it is: systemd gives a meaning to blanks, quotes, `%`, `$` and backslashes. */
const UnitPath = AbsolutePath.regex(/^[^\s"'%$\\;]*$/, 'expected a path without blanks, quotes, %, $, ; or backslash');
const PER_NODE_AND_VERSION = { allowed: ['node', 'role', 'version'], needed: 'version' } as const;
const VersionPath = UnitPath.superRefine(reportPlaceholders(PER_NODE_AND_VERSION));
const Program = VersionPath.describe('The server of each version: "/opt/temporal/{version}/temporal-server".');

/** How a unit gets another version. */
export const VersionSwitch = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('dropIn').describe('A drop-in replaces the program in ExecStart and keeps its arguments.'),
    program: Program,
  }),
  z.strictObject({
    by: z.literal('symlink').describe('ExecStart goes through a link, which is set to another version.'),
    program: Program,
    link: UnitPath.superRefine(reportPlaceholders({ allowed: ['node', 'role'] })).describe(
      'The link: "/opt/temporal/current". Nodes may share it: it is set before each of them is started.',
    ),
    to: VersionPath.describe('What the link leads to for each version: "/opt/temporal/{version}".'),
  }),
]);
export type VersionSwitch = z.infer<typeof VersionSwitch>;

export const SystemdDriver = z.strictObject({
  type: z.literal('systemd').describe('A unit a node, here or where ssh reaches it.'),
  nodes: z
    .array(SystemdNode)
    .min(1)
    .superRefine(reportNodeProblems, anyShape)
    .superRefine(reportUnitProblems, anyShape)
    .describe('Every process of the cluster.'),
  versionSwitch: VersionSwitch.describe('How a unit gets another version.'),
  unitDir: UnitPath.default('/etc/systemd/system').describe('Folder in which drop-ins are written.'),
  sudo: z
    .boolean()
    .default(false)
    .describe('Run what changes something, and what asks a process for its version, by sudo -n.'),
  sshConfigFile: FilePath.optional().describe('Another ssh_config than that of the worker’s user.'),
  ...timing,
});
export type SystemdDriver = z.infer<typeof SystemdDriver>;

/** One server process of a target that is replaced by commands of the operator. */
export const CommandNode = z.strictObject({ ...named, ...readable });
export type CommandNode = z.infer<typeof CommandNode>;

const PER_NODE = ['node', 'role', 'host'] as const;
const WITH_VERSION = [...PER_NODE, 'version'] as const;

export const CommandDriver = z.strictObject({
  type: z.literal('command').describe('Commands of yours.'),
  nodes: z
    .array(CommandNode)
    .min(1)
    .superRefine(reportNodeProblems, anyShape)
    .describe('Every process of the cluster.'),
  commands: z
    .strictObject({
      status: commandTemplate({ allowed: PER_NODE }).describe(
        'Prints what runs as the node, as JSON: {"version": "1.30.7", "startedAt": "2026-01-31T12:00:00Z"}; nothing, or {}, when nothing runs.',
      ),
      stop: commandTemplate({ allowed: PER_NODE }).describe('Stops the node; does nothing when nothing runs.'),
      start: commandTemplate({ allowed: WITH_VERSION, needed: 'version' }).describe('Starts the node with a version.'),
      prepare: commandTemplate({ allowed: WITH_VERSION, needed: 'version' })
        .optional()
        .describe('Brings a version, before anything is stopped: for each node if it names one, else once.'),
    })
    .describe(
      'Each is a program and its arguments, run without a shell; {node}, {role}, {host} (that of rpcAddress) and {version} are filled in.',
    ),
  environment: Environment.describe('What the commands get beside the PATH and HOME of the worker.'),
  ...timing,
});
export type CommandDriver = z.infer<typeof CommandDriver>;

/** How the servers of a target are replaced. */
export const DriverInput = z.discriminatedUnion('type', [
  ProcessDriver,
  SystemdDriver,
  CommandDriver,
  ComposeDriver,
  KubernetesDriver,
]);
export type DriverInput = z.infer<typeof DriverInput>;
