import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ComposeDriver, type ProcessNode, type Target } from '../../core/input/input.js';
import type { LabCluster } from '../cluster.js';
import { splitAddress } from '../../core/address.js';
import type { LabPodman } from './podman.js';

export interface ComposeProject {
  readonly name: string;
  /** Folder of its file. */
  readonly directory: string;
  readonly podman: LabPodman;
  /** Of the images in its file. */
  readonly version: string;
  /** Folder that every container sees under the same path: configuration and dynamic configuration. */
  readonly shared: string;
}

/** Writes the file of a project that has a service for each of these nodes of a lab cluster; gives how it is told of it. */
export async function writeProject(nodes: readonly ProcessNode[], project: ComposeProject): Promise<ComposeDriver> {
  const { name, directory, podman, version, shared } = project;
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'compose.yaml');
  const services = nodes.map(({ name: service, role, configDir, configEnv }): [string, object] => [
    service,
    {
      image: `${podman.repository}:${version}`,
      network_mode: 'host',
      restart: 'unless-stopped',
      // There is no /etc/passwd in the image, and the server's tracing asks who it is.
      environment: { CONTRACT: 'kept', USER: 'temporal', HOME: '/' },
      volumes: [`${shared}:${shared}`],
      command: [
        '--root',
        '/',
        '--config',
        configDir,
        '--env',
        configEnv,
        '--allow-no-auth',
        'start',
        `--service=${role}`,
      ],
    },
  ]);
  await writeFile(file, stringify({ services: Object.fromEntries(services) }));
  return ComposeDriver.parse({
    type: 'compose',
    command: podman.compose,
    engine: podman.engine,
    project: name,
    files: [file],
    services: nodes.map(({ name: service, role, rpcAddress, metricsAddress, configDir, configEnv }) => ({
      service,
      roles: [role],
      rpcPort: portOf(rpcAddress),
      ...(metricsAddress === undefined ? {} : { metricsPort: portOf(metricsAddress) }),
      configDir,
      configEnv,
    })),
  });
}

/** A lab cluster, which runs as processes, told of as services; its processes are the caller's to stop. */
export async function asComposeTarget(cluster: LabCluster, project: ComposeProject): Promise<Target> {
  return { ...cluster.target, driver: await writeProject(cluster.nodes, project) };
}

function portOf(address: string): number {
  return splitAddress(address).port;
}
