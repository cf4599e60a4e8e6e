import { z } from 'zod';
import { AbsolutePath, Environment, timing } from './driver-parts.js';
import { FilePath, Role } from './fields.js';
import { anyShape, reportServiceProblems } from './input-checks.js';
import { Images, Port, PORTS } from './pod-parts.js';

/** How the servers of a target are replaced that run as services of Compose, as an operator writes it. */

/** Names of services and projects: the same letters are allowed by docker compose and by podman-compose. */
const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected a name as Compose has them: letters, digits, dots, dashes');

export const ComposeService = z.strictObject({
  service: Name.describe('Its name in the files.'),
  roles: z
    .array(Role)
    .min(1)
    .describe('What its server runs: one role, or all of them where one process does all, as in the auto-setup image.'),
  rpcPort: Port.optional().describe(
    `gRPC port of its role; ${Object.entries(PORTS)
      .map(([role, port]) => `${port} of ${role}`)
      .join(', ')} when left out. Not with several roles.`,
  ),
  metricsPort: Port.optional().describe('Port of its Prometheus metrics; not asked when left out.'),
  host: z
    .string()
    .regex(/^[A-Za-z0-9.:-]+$/, 'expected an address or a name')
    .optional()
    .describe(
      'Where its ports answer; the address of its container in its network when left out, 127.0.0.1 in that of the host.',
    ),
  configDir: AbsolutePath.optional().describe(
    'Folder on this host of its configuration, where it is mounted from one; for checks and the backup.',
  ),
  configEnv: z.string().min(1).default('docker').describe('Name of the configuration file without .yaml: --env.'),
});
export type ComposeService = z.infer<typeof ComposeService>;

export const ComposeDriver = z.strictObject({
  type: z.literal('compose').describe('Services of Docker Compose or podman compose.'),
  command: z
    .array(z.string().min(1))
    .min(1)
    .default(['docker', 'compose'])
    .describe('Words that run Compose: [docker, compose], [podman, compose] or [podman-compose].'),
  engine: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Words that run the engine below it; [podman] where "command" names podman, else [docker].'),
  project: Name.describe('Name of the project: --project-name.'),
  files: z
    .array(AbsolutePath)
    .min(1)
    .describe('Its files in the order in which you name them with -f. None of them is written.'),
  overrideFile: AbsolutePath.optional().describe(
    'File of ours that holds the images, laid over yours. When left out compose.override.yaml beside yours, or compose.temporal-upgrade.yaml where you name more than one.',
  ),
  envFile: AbsolutePath.optional().describe('--env-file; .env beside the first file when left out.'),
  profiles: z.array(Name).default([]).describe('--profile, where services belong to some.'),
  environment: Environment.describe(
    'What Compose and engine get beside the PATH and HOME of the worker, such as DOCKER_HOST.',
  ),
  services: z
    .array(ComposeService)
    .min(1)
    .superRefine(reportServiceProblems, anyShape)
    .describe('Every service that runs servers of the cluster.'),
  network: FilePath.optional().describe(
    'Network in which the containers reach each other, where they are in more than one.',
  ),
  images: Images.prefault({}).describe('Which image is which version.'),
  ...timing,
});
export type ComposeDriver = z.infer<typeof ComposeDriver>;

/** Words that run the engine below Compose. */
export function engineOf({ engine, command }: Pick<ComposeDriver, 'engine' | 'command'>): readonly string[] {
  if (engine !== undefined) return engine;
  return [/podman[^/]*$/.test(command[0] ?? '') ? 'podman' : 'docker'];
}

/** Where the images of the versions are written: beside one file alone under the name that Compose reads by itself. */
export function overrideFileOf({ overrideFile, files }: Pick<ComposeDriver, 'overrideFile' | 'files'>): string {
  const [first = '', ...more] = files;
  const name = more.length === 0 ? 'compose.override.yaml' : 'compose.temporal-upgrade.yaml';
  return overrideFile ?? first.replace(/[^/]*$/, name);
}

/** Whether its Compose may be podman-compose, which finds files in its own way. */
export function isPodmanCompose({ command }: Pick<ComposeDriver, 'command'>): boolean {
  return engineOf({ command })[0] === 'podman';
}
