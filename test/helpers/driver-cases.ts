import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createComposeDriver } from '../../src/adapters/compose/compose-driver.js';
import { createCommandDriver } from '../../src/adapters/command/command-driver.js';
import type { Driver } from '../../src/adapters/driver.js';
import { createProcessDriver } from '../../src/adapters/process/process-driver.js';
import { createHosts, hostBy } from '../../src/adapters/systemd/host.js';
import { createSystemdDriver } from '../../src/adapters/systemd/systemd-driver.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { CommandDriver, type ProcessNode, SystemdDriver } from '../../src/core/input/input.js';
import type { LabCluster } from '../../src/lab/cluster.js';
import { writeProject } from '../../src/lab/compose/compose-cluster.js';
import { startPodman } from '../../src/lab/compose/podman.js';
import { sshMissing, startSystemdHost, systemdMissing, type SystemdHost } from './systemd-host.js';

/** Every driver, each on the same two nodes of a lab cluster that the contract is tried on. */

/** An operator's own script. */
export const SCRIPT = fileURLToPath(new URL('./servers-by-script.sh', import.meta.url));
/** Who runs the servers where a unit says so: not the one that tests. */
export const UNIT_USER = 'daemon';

export interface CaseFiles {
  readonly cluster: LabCluster;
  /** The nodes that the driver gets. */
  readonly nodes: readonly ProcessNode[];
  /** Folder of the case's own. */
  readonly directory: string;
  /** Has VERSION/temporal-server. */
  readonly releases: string;
}

export interface DriverCase {
  readonly driver: Driver;
  /**
   * Lines that make the same `driver` in another Node process, from the compiled sources in `folder`: one that can be killed.
   */
  readonly script: string;
  remove(): Promise<void>;
}

export interface NamedCase {
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly missing?: string | undefined;
  readonly open: (files: CaseFiles) => Promise<DriverCase>;
}

/** Containers with the network and the control groups of the host are for root alone. */
const podmanMissing = process.getuid?.() === 0 ? undefined : 'root, who may run containers';

export const DRIVER_CASES: readonly NamedCase[] = [
  { name: 'process', open: openProcess },
  { name: 'command: a script of the operator', open: openCommand },
  { name: 'systemd here, by drop-in', missing: systemdMissing, open: openSystemd },
  { name: 'systemd by ssh, by symlink', missing: sshMissing, open: openSystemdBySsh },
];

/** Containers of Compose, whose engine takes minutes to bring. */
export const COMPOSE_CASES: readonly NamedCase[] = [
  { name: 'compose: podman-compose', missing: podmanMissing, open: openCompose },
];

async function openProcess({ cluster, nodes }: CaseFiles): Promise<DriverCase> {
  // What the others refuse by themselves: no version is built or fetched for a test.
  const offline = { allowBuild: false, releasesUrl: 'http://127.0.0.1:1' };
  const input = { ...cluster.target.driver, nodes: [...nodes], stopTimeout: 5_000 };
  return Promise.resolve({
    driver: createProcessDriver(input, createToolResolver(offline)),
    script: `
      const { createProcessDriver } = await import(folder + '/adapters/process/process-driver.js');
      const { createToolResolver } = await import(folder + '/adapters/tools/tool-resolver.js');
      const driver = createProcessDriver(${JSON.stringify(input)}, createToolResolver());`,
    remove: () => Promise.resolve(),
  });
}

async function openCommand({ nodes, directory, releases }: CaseFiles): Promise<DriverCase> {
  const [first] = nodes;
  const logs = join(directory, 'logs');
  await mkdir(logs, { recursive: true });
  const input = CommandDriver.parse({
    type: 'command',
    nodes: [
      ...nodes.map(({ environment: _, ...node }) => ({ ...node, logFile: join(logs, `${node.name}.log`) })),
      ...REST,
    ],
    environment: { RELEASES: releases, NODES: join(first?.configDir ?? '', '..'), LOGS: logs },
    commands: {
      status: [SCRIPT, 'status', '{node}'],
      stop: [SCRIPT, 'stop', '{node}'],
      start: [SCRIPT, 'start', '{node}', '{role}', '{version}'],
      prepare: [SCRIPT, 'prepare', '{version}'],
    },
  });
  const own = { ...input, nodes: input.nodes.slice(0, nodes.length) };
  return {
    driver: createCommandDriver(own),
    script: `
      const { createCommandDriver } = await import(folder + '/adapters/command/command-driver.js');
      const driver = createCommandDriver(${JSON.stringify(own)});`,
    remove: () => Promise.resolve(),
  };
}

/** Nodes of the roles that the contract does not touch, so that an input of them is a whole one. */
const REST = (['frontend', 'history'] as const).map((role, index) => ({
  name: `${role}-0`,
  role,
  rpcAddress: `127.0.0.1:${index + 1}`,
}));

async function openCompose({ cluster, nodes, directory }: CaseFiles): Promise<DriverCase> {
  const podman = await startPodman(join(directory, 'podman'));
  const tools = createToolResolver();
  for (const version of ['1.29.1', '1.30.7']) await podman.makeImage(version, tools);
  const folder = join(nodes[0]?.configDir ?? '', '..', '..');
  const all = await writeProject(cluster.nodes, {
    name: 'contract',
    directory: join(directory, 'project'),
    podman,
    version: '1.29.1',
    shared: folder,
  });
  const services = nodes.flatMap(({ name }) => all.services.filter(({ service }) => service === name));
  const input = {
    ...all,
    services,
    images: { ...all.images, repository: podman.repository },
    stopTimeout: 5_000,
  };
  return {
    driver: createComposeDriver(input),
    script: `
      const { createComposeDriver } = await import(folder + '/adapters/compose/compose-driver.js');
      const driver = createComposeDriver(${JSON.stringify(input)});`,
    remove: () => podman.remove(),
  };
}

async function openSystemd(files: CaseFiles): Promise<DriverCase> {
  const host = await startSystemdHost(files.directory);
  await addUnits(host, files, join(files.releases, '1.20.5', 'temporal-server')); // one that need not be there
  const input = systemdInput(files, {
    versionSwitch: { by: 'dropIn', program: join(files.releases, '{version}/temporal-server') },
  });
  const own = { name: 'this host', isOwn: false };
  return {
    driver: createSystemdDriver(input, () => hostBy({ ...own, commandFor: (argv) => [...host.prefix, ...argv] })),
    script: `
      const { createSystemdDriver } = await import(folder + '/adapters/systemd/systemd-driver.js');
      const { hostBy } = await import(folder + '/adapters/systemd/host.js');
      const commandFor = (argv) => [...${JSON.stringify(host.prefix)}, ...argv];
      const driver = createSystemdDriver(${JSON.stringify(input)}, () => hostBy({ ...${JSON.stringify(own)}, commandFor }));`,
    remove: () => host.stop(),
  };
}

async function openSystemdBySsh(files: CaseFiles): Promise<DriverCase> {
  const host = await startSystemdHost(files.directory);
  const link = join(files.directory, 'current');
  await host.run('ln', '-s', join(files.releases, '1.20.5'), link);
  await addUnits(host, files, join(link, 'temporal-server'));
  const input = systemdInput(files, {
    versionSwitch: {
      by: 'symlink',
      link,
      to: join(files.releases, '{version}'),
      program: join(files.releases, '{version}/temporal-server'),
    },
    sshConfigFile: await host.startSsh(),
    host: 'lab-host',
  });
  return {
    driver: createSystemdDriver(input, createHosts(input)),
    script: `
      const { createSystemdDriver } = await import(folder + '/adapters/systemd/systemd-driver.js');
      const driver = createSystemdDriver(${JSON.stringify(input)});`,
    remove: () => host.stop(),
  };
}

const unitOf = (name: string) => `temporal-${name}.service`;

function systemdInput(
  { nodes }: CaseFiles,
  { host, ...rest }: Readonly<Record<string, unknown>> & { readonly host?: string },
): SystemdDriver {
  const own = nodes.map(({ name, role, rpcAddress, metricsAddress }) => ({ name, role, rpcAddress, metricsAddress }));
  const all = [...own, ...REST].map((node) => ({ ...node, unit: unitOf(node.name), host }));
  const input = SystemdDriver.parse({ type: 'systemd', nodes: all, stopTimeout: 20_000, ...rest });
  return { ...input, nodes: input.nodes.slice(0, own.length) };
}

/** As operators have them: a user, a limit, an environment, and a server that is always started again. */
async function addUnits(host: SystemdHost, { nodes }: CaseFiles, program: string): Promise<void> {
  for (const { name, role, configDir, configEnv } of nodes) {
    await host.addUnit(
      unitOf(name),
      `[Unit]
Description=Temporal ${role}
[Service]
User=${UNIT_USER}
LimitNOFILE=4096
Environment=CONTRACT=kept
ExecStart=${program} --root / \\
  # in the midst of it
  --config ${configDir} --env ${configEnv} --allow-no-auth \\
  start --service=${role}
Restart=always
RestartSec=1
`,
    );
  }
}

/** A folder of releases as operators have it, that every user may read. */
export async function layOutReleases(directory: string, versions: readonly string[]): Promise<string> {
  const tools = createToolResolver();
  for (const version of versions) {
    await mkdir(join(directory, version), { recursive: true });
    await copyFile(await tools.serverTool('temporal-server', version), join(directory, version, 'temporal-server'));
  }
  await writeFile(join(directory, 'README'), 'VERSION/temporal-server\n');
  return directory;
}
