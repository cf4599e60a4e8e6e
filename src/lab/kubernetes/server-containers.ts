import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../adapters/write-whole.js';
import type { ToolResolver } from '../../adapters/tools/tools.js';
import { messageOf } from '../../core/errors.js';
import type { KubeApi } from './kube-api.js';
import { follow } from './kube-follow.js';
import { environmentOf } from './pod-objects.js';
import { keptMounts, mountsOf, withPathsBelow, writeMounts, type Mount } from './pod-volumes.js';
import { splitImage } from './pod.js';
import { pretendedContainers } from './pretended-containers.js';
import { problemOfProbe } from './probe.js';
import { ImageError, type ContainerOrder, type ContainerRuntime, type RunningContainer } from './runtime.js';
import { ServerProcess } from './server-process.js';

/** The key of the ConfigMap that is the server's configuration, as in Temporal's own chart. */
const TEMPLATE = 'config_template.yaml';
/** What it becomes: `lab.yaml`, read by a server that is started with `--env lab`. */
const ENVIRONMENT = 'lab';

export interface ServerRuntimeOptions {
  readonly api: KubeApi;
  /** Folder of the pods' files. */
  readonly folder: string;
  readonly tools: ToolResolver;
  readonly signal: AbortSignal;
  /** How often each pod's ConfigMaps are looked at, in milliseconds, and up to half as long again: 60 s of a kubelet. */
  readonly syncMs: number;
}

/**
 * Runs a container that has the variable `SERVICES` and mounts a `config_template.yaml` as a real Temporal server: a process
 * of the version that the tag of its image says, with the pod's IP, its environment, and its configuration out of the mounted
 * ConfigMap, in which `{{ .Env.NAME }}` and `{{ env "NAME" }}` are filled in. Mounted ConfigMaps follow the API as a kubelet has them do:
 * each pod at times of its own, and one that is mounted by `subPath` never. SIGTERM, grace period and readiness probe (gRPC, TCP) are those of the pod. Every other
 * container is only pretended, and so is one whose rule is `crash`, as no server is to be broken for it.
 */
export async function createServerRuntime(options: ServerRuntimeOptions): Promise<ContainerRuntime> {
  const { api, signal, syncMs } = options;
  const mounted = new Set<MountedFiles>();
  const onObject = (object: unknown) => {
    for (const one of mounted) one.refresh(object);
  };
  await follow(api, '/api/v1/configmaps', { onObject, onGone: () => undefined }, signal);
  return {
    start: async (order) => {
      const mounts = mountsOf(order.pod, order.container);
      const isServer = order.container.env.some(({ name }) => name === 'SERVICES') && mounts.length > 0;
      if (!isServer || order.behaviour().kind === 'crash') return pretendedContainers.start(order);
      const { process, files } = await startServer(order, mounts, options);
      mounted.add(files);
      const ended = new AbortController();
      files.keep(syncMs, ended.signal);
      void process.exited.then(() => {
        ended.abort();
        mounted.delete(files);
      });
      return running(order, process);
    },
  };
}

async function startServer(
  { pod, container, podIp, logFile }: ContainerOrder,
  mounts: readonly Mount[],
  { api, folder, tools }: ServerRuntimeOptions,
) {
  const program = await serverOf(container.image, tools);
  const { namespace, name, uid } = pod.metadata;
  const root = join(folder, `${namespace}_${name}_${uid}`, 'root');
  const files = new MountedFiles(api, { namespace, mounts, root });
  await files.write();
  const environment = await environmentOf(api, { pod, container, podIp });
  const config = join(root, '..', 'config');
  await mkdir(config, { recursive: true });
  const template = await templateBelow(root, mounts);
  const text = withPathsBelow(root, mounts, render(template, environment));
  await writeWhole(join(config, `${ENVIRONMENT}.yaml`), text, 0o600);
  const services = (environment['SERVICES'] ?? '').split(',').map((service) => `--service=${service.trim()}`);
  const args = ['--root', '/', '--config', config, '--env', ENVIRONMENT, '--allow-no-auth', 'start', ...services];
  const process = await ServerProcess.start(program, args, { env: environment, cwd: root, logFile });
  return { process, files };
}

/** An image whose tag is no version that can be had is one that no registry has. */
async function serverOf(image: string, tools: ToolResolver): Promise<string> {
  const { tag } = splitImage(image);
  if (!/^\d+\.\d+\.\d+$/.test(tag)) throw new ImageError(image, `${image}: not found`);
  return tools.serverTool('temporal-server', tag).catch((error: unknown) => {
    throw new ImageError(image, `${image}: not found (${messageOf(error).split('\n')[0] ?? ''})`);
  });
}

async function templateBelow(root: string, mounts: readonly Mount[]): Promise<string> {
  for (const { mountPath, subPath } of mounts) {
    const file = subPath === undefined ? join(root, mountPath, TEMPLATE) : join(root, mountPath);
    const found = await readFile(file, 'utf8').catch(() => undefined);
    if (found !== undefined) return found;
  }
  throw new Error(`no mounted ConfigMap has a ${TEMPLATE}`);
}

/** The two ways in which templates of servers' images name a variable. */
function render(template: string, environment: Readonly<Record<string, string>>): string {
  return template.replace(
    /\{\{-?\s*(?:\.Env\.(\w+)|env\s+"(\w+)")\s*-?\}\}/g,
    (_all, first?: string, second?: string) => environment[first ?? second ?? ''] ?? '',
  );
}

function running(order: ContainerOrder, process: ServerProcess): RunningContainer {
  const began = Date.now();
  return {
    exited: process.exited,
    readiness: async () => {
      const { kind, readyAfterMs } = order.behaviour();
      if (kind === 'never-ready') return 'it is never ready, as the lab was told';
      if (Date.now() - began < readyAfterMs) return 'it is not ready yet, as the lab was told';
      return problemOfProbe(order.container, order.podIp);
    },
    stop: (graceMs) => process.stop(graceMs),
  };
}

const Named = z.looseObject({ metadata: z.looseObject({ name: z.string(), namespace: z.string() }) });

/** The mounted files of one pod. */
class MountedFiles {
  readonly #changed = new Set<string>();

  constructor(
    private readonly api: KubeApi,
    private readonly what: { readonly namespace: string; readonly mounts: readonly Mount[]; readonly root: string },
  ) {}

  write(): Promise<void> {
    return writeMounts(this.api, this.what);
  }

  /** Notes that a ConfigMap has changed. */
  refresh(configMap: unknown): void {
    const { name, namespace } = Named.parse(configMap).metadata;
    if (namespace === this.what.namespace) this.#changed.add(name);
  }

  /** Writes anew, every now and then until `ended`, what follows ConfigMaps that have changed. */
  keep(everyMs: number, ended: AbortSignal): void {
    const look = async () => {
      const mounts = keptMounts(this.what.mounts).filter(({ configMap }) => this.#changed.has(configMap));
      this.#changed.clear();
      await writeMounts(this.api, { ...this.what, mounts }).catch(() => {
        for (const { configMap } of mounts) this.#changed.add(configMap); // the API server is away: the next time
      });
      next();
    };
    const next = () => {
      if (!ended.aborted) setTimeout(() => void look(), everyMs * (1 + Math.random() / 2)).unref();
    };
    next();
  }
}
