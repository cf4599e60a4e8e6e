import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../adapters/run-command.js';
import type { ToolResolver } from '../../adapters/tools/tools.js';
import { messageOf, PreconditionError } from '../../core/errors.js';
import { shellLine } from '../../core/shell-line.js';
import { broughtOnce } from '../brought-once.js';
import { librariesOf, unpackedPackages } from '../debian-packages.js';

/** podman with what runs its containers, and those libraries of it that a machine without it may not have. */
const PACKAGES = [
  'podman',
  'runc',
  'conmon',
  'golang-github-containers-common',
  'libgpgme11',
  'libassuan0',
  'libgpg-error0',
  'libdevmapper1.02.1',
  'libseccomp2',
  'libsubid4',
  'libglib2.0-0',
] as const;
/** Of PyPI, with what it needs. */
const PODMAN_COMPOSE = ['podman-compose==1.6.0', 'python-dotenv==1.2.4', 'PyYAML==6.0.4'];
const IMAGE = 'localhost/temporal-server';

/** A podman of the lab's own: its images and containers lie in one folder, and it knows of no others. */
export interface LabPodman {
  /** Words that run podman. */
  readonly engine: readonly string[];
  /** Words that run podman-compose on it. */
  readonly compose: readonly string[];
  /** Where the images of the versions are, without a tag. */
  readonly repository: string;
  /** Makes the image of a version of the server, from its program alone. */
  makeImage(version: string, tools: ToolResolver): Promise<void>;
  /** Removes all its containers, images and files. */
  remove(): Promise<void>;
}

/**
 * podman and podman-compose, unpacked into the cache: nothing is installed. Only root can run it, as containers get the host's
 * network and control groups.
 * @throws PreconditionError when it cannot be had here
 */
export async function startPodman(directory: string): Promise<LabPodman> {
  const programs = await bringPrograms();
  const files = await writeSettings(directory, programs);
  const engine = [files.podman];
  const podman = (...args: readonly string[]) => runCommand(files.podman, args, { timeoutMs: 120_000 });
  await podman('info').catch((cause: unknown) => {
    throw new PreconditionError(`podman cannot be run here: ${messageOf(cause)}`, {}, { cause });
  });
  return {
    engine,
    compose: [files.compose],
    repository: IMAGE,
    async makeImage(version, tools) {
      const context = join(directory, 'image');
      await mkdir(context, { recursive: true });
      await copyFile(await tools.serverTool('temporal-server', version), join(context, 'temporal-server'));
      await writeFile(
        join(context, 'Containerfile'),
        'FROM scratch\nCOPY temporal-server /temporal-server\nENTRYPOINT ["/temporal-server"]\n',
      );
      await podman('build', '--quiet', '--tag', `${IMAGE}:${version}`, context);
      await rm(context, { recursive: true });
    },
    async remove() {
      await podman('rm', '--all', '--force', '--time', '5').catch(() => undefined);
      // It mounts its own store on itself, and a little memory for each container.
      for (const mount of await mountsBelow(directory)) {
        await runCommand('umount', ['--lazy', mount]).catch(() => undefined);
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The innermost first. */
async function mountsBelow(directory: string): Promise<string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  return mounts.filter((mount) => mount.startsWith(`${directory}/`)).toReversed();
}

interface PodmanPrograms {
  /** Where the packages are. */
  readonly root: string;
  readonly libraries: readonly string[];
  readonly podmanCompose: string;
}

async function bringPrograms(): Promise<PodmanPrograms> {
  try {
    const root = await unpackedPackages('podman', PACKAGES);
    const usr = await librariesOf(root);
    const podmanCompose = await broughtOnce('podman-compose-1.6.0', async (folder) => {
      const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, ...PODMAN_COMPOSE];
      await runCommand('python3', args, { timeoutMs: 300_000 });
    });
    return { root, libraries: [usr, usr.replace(/\/usr\/lib\//, '/lib/')], podmanCompose };
  } catch (cause) {
    throw new PreconditionError(
      `no podman: apt-get or pip cannot bring it (${messageOf(cause).slice(0, 300)})`,
      {},
      { cause },
    );
  }
}

/** All that it would look for in /etc and /var, in one folder; programs that set it. */
async function writeSettings(directory: string, { root, libraries, podmanCompose }: PodmanPrograms) {
  const at = (...parts: readonly string[]) => join(directory, ...parts);
  await mkdir(at('home', '.config', 'containers'), { recursive: true });
  // The limits of the machine's own root may be lower than podman's defaults, which runc then refuses to set.
  await writeFile(
    at('containers.conf'),
    `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
utsns = "host"
log_driver = "k8s-file"
seccomp_profile = "${join(root, 'usr/share/containers/seccomp.json')}"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
conmon_path = ["${join(root, 'usr/bin/conmon')}"]
tmp_dir = "${at('run', 'libpod')}"
static_dir = "${at('store', 'libpod')}"
volume_path = "${at('store', 'volumes')}"
helper_binaries_dir = ["${join(root, 'usr/lib/podman')}"]
[engine.runtimes]
runc = ["${join(root, 'usr/sbin/runc')}"]
[network]
network_config_dir = "${at('store', 'networks')}"
`,
  );
  await writeFile(
    at('storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${at('store')}"\nrunroot = "${at('run', 'storage')}"\n`,
  );
  await writeFile(at('registries.conf'), 'unqualified-search-registries = []\n');
  await writeFile(
    at('home', '.config', 'containers', 'policy.json'),
    '{"default":[{"type":"insecureAcceptAnything"}]}\n',
  );
  const podman = await writeProgram(at('podman'), [
    `export CONTAINERS_CONF=${at('containers.conf')} CONTAINERS_STORAGE_CONF=${at('storage.conf')}`,
    `export CONTAINERS_REGISTRIES_CONF=${at('registries.conf')} HOME=${at('home')}`,
    `export LD_LIBRARY_PATH=${libraries.join(':')}`,
    `exec ${shellLine([join(root, 'usr/bin/podman')])} "$@"`,
  ]);
  const compose = await writeProgram(at('podman-compose'), [
    `export PYTHONPATH=${podmanCompose}`,
    // Each service has a container of its own; a pod around them has no use.
    `exec python3 -m podman_compose --podman-path ${shellLine([podman])} --in-pod false "$@"`,
  ]);
  return { podman, compose };
}

async function writeProgram(file: string, lines: readonly string[]): Promise<string> {
  await writeFile(file, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(file, 0o755);
  return file;
}
