import { z } from 'zod';
import { Duration } from './duration.js';
import { InvalidRolloutError, type InputProblem } from './errors.js';
import { isMinor, isServerVersion, minorOf } from './version.js';

/**
 * What an operator gives to start a roll-out. It is sent as JSON by the Temporal CLI and kept in the workflow's history,
 * so every field survives JSON and no field holds a secret: secrets are named, and read where they are used.
 */

/** Where a secret is: an environment variable, or a file, of the worker that does the work. Never the secret itself. */
export const SecretRef = z.union([
  z.strictObject({ env: z.string().min(1).describe('Name of an environment variable of the worker.') }),
  z.strictObject({
    file: z.string().min(1).describe('Path of a file on the host of the worker; a last newline is cut.'),
  }),
]);
export type SecretRef = z.infer<typeof SecretRef>;

const HostAndPort = z
  .string()
  .regex(/^(\[[^\]]+\]|[^:\s]+):\d{1,5}$/, 'expected host:port, such as "temporal.example.com:7233"')
  .refine((address) => Number(address.slice(address.lastIndexOf(':') + 1)) <= 65_535, 'the port is above 65535');
const FilePath = z.string().min(1);

export const Tls = z.strictObject({
  serverCaFile: FilePath.optional().describe('Certificate authority of the server; the system’s when left out.'),
  clientCertFile: FilePath.optional(),
  clientKeyFile: FilePath.optional(),
  serverName: z.string().min(1).optional().describe('Name to expect in the server’s certificate.'),
});
export type Tls = z.infer<typeof Tls>;

/** How the frontend of a target is reached: by address, or by a profile of the Temporal CLI's `temporal.toml`. */
export const Connection = z.union([
  z.strictObject({
    address: HostAndPort,
    tls: z.union([z.literal(true), Tls]).optional(),
    apiKey: SecretRef.optional(),
  }),
  z.strictObject({
    profile: z.string().min(1).describe('A profile of the standard temporal.toml.'),
    configFile: FilePath.optional().describe('Another file than the standard one.'),
  }),
]);
export type Connection = z.infer<typeof Connection>;

export const PostgresStore = z.strictObject({
  type: z.literal('postgresql'),
  plugin: z
    .enum(['postgres12', 'postgres12_pgx'])
    .default('postgres12')
    .describe('Plugin name of the server’s configuration.'),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(5432),
  database: z.string().min(1),
  user: z.string().min(1),
  password: SecretRef.optional(),
  tls: z.union([z.literal(true), Tls]).optional(),
});
export type PostgresStore = z.infer<typeof PostgresStore>;

/** A database of the target. */
export const StoreInput = z.discriminatedUnion('type', [PostgresStore]);
export type StoreInput = z.infer<typeof StoreInput>;

export const Role = z.enum(['frontend', 'internal-frontend', 'history', 'matching', 'worker']);
export type Role = z.infer<typeof Role>;

/** One server process of a target that is run as plain processes. */
export const ProcessNode = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dot, dash or underscore'),
  role: Role,
  rpcAddress: HostAndPort.describe('Where its gRPC port answers.'),
  metricsAddress: HostAndPort.optional().describe('Where it serves Prometheus metrics at /metrics.'),
  configDir: FilePath.describe(
    'Absolute folder of its configuration, given to the server as --config. One folder a node.',
  ),
  configEnv: z.string().min(1).default('development').describe('Name of the configuration file without .yaml: --env.'),
  logFile: FilePath.describe('File that its output is appended to.'),
  environment: z.record(z.string(), z.union([z.string(), SecretRef])).default({}),
});
export type ProcessNode = z.infer<typeof ProcessNode>;

export const ProcessDriver = z.strictObject({
  type: z.literal('process'),
  nodes: z.array(ProcessNode).min(1),
  allowNoAuth: z.boolean().default(false).describe('Start servers with --allow-no-auth.'),
  internodeTls: Tls.optional().describe('TLS between the roles, where the target has it.'),
  stopTimeout: Duration.default(120_000).describe('How long a process may take to stop before it is killed.'),
  startTimeout: Duration.default(180_000).describe('How long a process may take until it is SERVING.'),
});
export type ProcessDriver = z.infer<typeof ProcessDriver>;

/** How the servers of a target are replaced. */
export const DriverInput = z.discriminatedUnion('type', [ProcessDriver]);
export type DriverInput = z.infer<typeof DriverInput>;

export const Target = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and dashes'),
  connection: Connection,
  frontends: z
    .array(HostAndPort)
    .optional()
    .describe('Address of each frontend; the connection’s alone when left out.'),
  version: z
    .string()
    .refine(isServerVersion, 'expected a version in full, such as "1.29.1"')
    .optional()
    .describe('Version that it is believed to run; the roll-out refuses to start when it runs another.'),
  stores: z.strictObject({
    default: StoreInput,
    visibility: StoreInput,
  }),
  driver: DriverInput,
  taskQueue: z.string().min(1).optional().describe('Task queue of the workers near this target.'),
  backupDir: FilePath.describe('Folder for backups, seen by the workers of this target.'),
});
export type Target = z.infer<typeof Target>;

const GATE_PHASES = ['schema', 'servers', 'promote'] as const;

export const LoadPolicy = z.strictObject({
  startsPerSecond: z.number().positive().max(1_000).default(2).describe('Canary workflows started each second.'),
  namespace: z
    .string()
    .min(1)
    .default('temporal-upgrade-canary')
    .describe('Namespace on the target; made when missing.'),
  longRunning: z.int().nonnegative().default(20).describe('Canaries started before each hop that end after it.'),
});
export type LoadPolicy = z.infer<typeof LoadPolicy>;

export const Policy = z
  .strictObject({
    gates: z
      .strictObject({
        staging: z.array(z.enum(['schema', 'servers'])).default([]),
        live: z.array(z.enum(GATE_PHASES)).default([...GATE_PHASES]),
      })
      .prefault({})
      .describe('Where a person decides. Staging has no gates unless they are named; live has all of them.'),
    settle: z
      .strictObject({
        atLeast: Duration.default(600_000).describe('Time that History gets to load and rewrite every shard.'),
        reason: z.string().min(1).optional().describe('Why less than ten minutes are enough here.'),
        proofTimeout: Duration.default(600_000).describe(
          'How long after that the proof may take before a person is asked.',
        ),
      })
      .prefault({})
      // Temporal's upgrade guide: "allow approximately 10 minutes on each version".
      .refine(({ atLeast, reason }) => atLeast >= 600_000 || reason !== undefined, {
        path: ['reason'],
        message: 'a settle shorter than ten minutes needs a reason, which status and report show',
      }),
    observation: z
      .strictObject({
        window: Duration.default(180_000).describe('Length of each observation.'),
        minRequests: z.int().nonnegative().default(200).describe('Fewer requests in a window are no evidence.'),
        maxErrorRatioRise: z
          .number()
          .min(0)
          .max(0.05)
          .default(0.001)
          .describe(
            'Allowed rise of unexpected errors per request against the baseline. More than 5 % is never allowed.',
          ),
        extensions: z
          .int()
          .min(0)
          .max(10)
          .default(2)
          .describe('How often a window without enough evidence is extended.'),
      })
      .prefault({}),
    load: z
      .strictObject({
        staging: LoadPolicy.prefault({}),
        live: LoadPolicy.optional().describe('Canaries on live too; none unless asked for.'),
      })
      .prefault({}),
    watchLive: Duration.default(0).describe('How long live is watched after its last hop before the roll-out closes.'),
  })
  .prefault({});
export type Policy = z.infer<typeof Policy>;

export const RolloutInput = z
  .strictObject({
    to: z
      .string()
      .refine(
        (text) => isServerVersion(text) || isMinor(text),
        'expected a minor such as "1.31", or a version such as "1.31.2"',
      ),
    pins: z
      .record(
        z.string().refine(isMinor, 'expected a minor such as "1.30"'),
        z.string().refine(isServerVersion, 'expected a version in full, such as "1.30.7"'),
      )
      .default({})
      .describe('Patch to use for a minor, instead of the newest: {"1.30": "1.30.7"}.'),
    staging: Target,
    live: Target,
    policy: Policy,
    dataDir: FilePath.default('~/.local/share/temporal-upgrade').describe(
      'Folder of the workers for ledgers, samples and the report; ~ is the home folder of the worker.',
    ),
  })
  .superRefine((input, context) => {
    for (const [minor, version] of Object.entries(input.pins)) {
      if (isServerVersion(version) && minorOf(version) !== minor) {
        context.addIssue({ code: 'custom', path: ['pins', minor], message: `${version} is no patch of ${minor}` });
      }
    }
    const pinned = input.pins[minorOf(input.to)];
    if (isServerVersion(input.to) && pinned !== undefined && pinned !== input.to) {
      context.addIssue({
        code: 'custom',
        path: ['pins', minorOf(input.to)],
        message: `pins ${pinned}, but "to" asks for ${input.to}`,
      });
    }
    if (input.staging.name === input.live.name) {
      context.addIssue({ code: 'custom', path: ['staging', 'name'], message: 'is the name of live too' });
    }
    for (const environment of ['staging', 'live'] as const)
      reportNodeProblems(environment, input[environment], context);
  });
export type RolloutInput = z.infer<typeof RolloutInput>;
/** A roll-out as an operator writes it, before defaults are filled in. */
export type RolloutInputText = z.input<typeof RolloutInput>;

function reportNodeProblems(environment: 'staging' | 'live', target: Target, context: z.RefinementCtx): void {
  const { nodes } = target.driver;
  for (const [index, node] of nodes.entries()) {
    for (const field of ['name', 'configDir', 'rpcAddress'] as const) {
      const first = nodes.findIndex((other) => other[field] === node[field]);
      if (first === index) continue;
      context.addIssue({
        code: 'custom',
        path: [environment, 'driver', 'nodes', index, field],
        message: `"${node[field]}" is also that of node ${first}; each node needs its own`,
      });
    }
  }
  for (const role of ['frontend', 'history', 'matching', 'worker'] as const) {
    if (nodes.some((node) => node.role === role)) continue;
    context.addIssue({
      code: 'custom',
      path: [environment, 'driver', 'nodes'],
      message: `no node has the role ${role}; name every server process of the cluster, or some would stay behind`,
    });
  }
}

/** The input with its defaults filled in. @throws InvalidRolloutError with every problem and its path. */
export function parseRolloutInput(raw: unknown): RolloutInput {
  const result = RolloutInput.safeParse(raw);
  if (result.success) return result.data;
  throw new InvalidRolloutError(problemsOf(result.error));
}

/** zod's issues as a flat list; of a union that fits nowhere, the branch that came closest speaks. */
export function problemsOf(error: z.ZodError): InputProblem[] {
  return error.issues.flatMap((issue) => flatten(issue, []));
}

function flatten(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): InputProblem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const closest = [...issue.errors].sort((a, b) => rank(a) - rank(b))[0] ?? [];
    return closest.flatMap((inner) => flatten(inner, path));
  }
  return [{ path: path.map(String).join('.'), message: issue.message }];
}

/** A wrong type at the very top means that the branch was not meant; unknown keys mean it less than a bad value. */
function rank(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce(
    (sum, issue) => sum + (issue.path.length === 0 ? 10 : 1) + (issue.code === 'unrecognized_keys' ? 5 : 0),
    0,
  );
}
