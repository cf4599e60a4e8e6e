import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand, type CommandOptions } from '../../adapters/run-command.js';
import { makeCertificates, type Certificates } from '../certificates.js';
import { findFreePorts } from '../free-ports.js';
import { writeAuditPolicy } from './audit.js';
import { findKubernetesBinaries, type KubernetesBinaries } from './binaries.js';
import {
  apiServerArguments,
  etcdArguments,
  managerArguments,
  schedulerArguments,
  type ControlPlanePlace,
} from './control-plane-arguments.js';
import { CONTROL_PLANE, ControlPlaneProcess, type ControlPlaneName } from './control-plane-process.js';
import type { HelmMajor } from './helm-programs.js';
import { writeAccessFiles } from './kube-access-files.js';
import { KubeApi, type KubeAccess } from './kube-api.js';

/** A Kubernetes of the lab: real etcd, API server, controller manager and scheduler, and no node. */
export interface LabKubernetes {
  /** File that kubectl, helm and libraries take; its user may do all. */
  readonly kubeconfig: string;
  readonly access: KubeAccess;
  /** Those of its servers; no other knows them. */
  readonly certificates: Certificates;
  readonly binaries: KubernetesBinaries;
  readonly directory: string;
  /** Runs kubectl and gives what it printed. @throws CommandError when it ends with another exit code than 0 */
  kubectl(...args: readonly string[]): Promise<string>;
  /** `kubectl apply` of a manifest in YAML. @throws CommandError */
  apply(manifest: string): Promise<string>;
  /** Runs helm 3 or 4 and gives what it printed. @throws CommandError when it ends with another exit code than 0 */
  helm(major: HelmMajor, ...args: readonly string[]): Promise<string>;
  /** Ends the API server alone, as when its host is gone; what etcd holds stays. */
  stopApiServer(): Promise<void>;
  /** Starts it again, at the same address, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Ends all of it. The folder stays, for its logs. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/** On a machine that does much else. */
const READY_WITHIN_MS = 180_000;
const COMMAND_WITHIN_MS = 300_000;

/** Where a Kubernetes of the lab is started, and how. */
export interface KubernetesOptions {
  readonly directory: string;
  /** Whether its API server keeps a log of what service accounts ask for (`readAudit`). */
  readonly audited?: boolean;
}

/**
 * Starts an empty Kubernetes on free ports of 127.0.0.1, some four seconds on two processors. What a killed run left in
 * `directory` is stopped and removed first.
 * @throws PreconditionError when its programs cannot be had; Error with the end of a log when it does not get ready
 */
export async function startKubernetes({ audited = false, ...options }: KubernetesOptions): Promise<LabKubernetes> {
  const directory = resolve(options.directory);
  const binaries = await findKubernetesBinaries();
  await removeKubernetes(directory);
  await mkdir(directory, { recursive: true });
  const place = await makePlace(directory, audited);
  const access: KubeAccess = {
    server: `https://${HOST}:${place.ports.api}`,
    caFile: place.certificates.ca,
    token: randomBytes(16).toString('hex'),
  };
  const { kubeconfig } = place;
  await writeAccessFiles(directory, { access, kubeconfig });
  const processes = processesOf(place, binaries);
  const connection = await KubeApi.connect(access);
  const startApiServer = async () => {
    await processes['kube-apiserver'].start();
    await waitFor('/readyz', connection, processes['kube-apiserver']);
  };
  const stop = async () => {
    connection.close();
    for (const name of CONTROL_PLANE) await processes[name].stop();
  };
  try {
    await processes.etcd.start();
    await startApiServer();
    // Not sooner: the controller manager waits ten seconds for an API server, and then ends.
    await processes['kube-controller-manager'].start();
    await processes['kube-scheduler'].start();
    // Nothing can run in a namespace before the controller manager has made this.
    await waitFor(
      '/api/v1/namespaces/default/serviceaccounts/default',
      connection,
      processes['kube-controller-manager'],
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const run = async (program: string, args: readonly string[], more: CommandOptions = {}) => {
    const env = { KUBECONFIG: kubeconfig, ...helmFolders(directory) };
    const { stdout } = await runCommand(program, args, { env, secrets: [], timeoutMs: COMMAND_WITHIN_MS, ...more });
    return stdout;
  };
  return {
    kubeconfig,
    access,
    certificates: place.certificates,
    binaries,
    directory,
    kubectl: (...args) => run(binaries.kubectl, args),
    apply: (input) => run(binaries.kubectl, ['apply', '-f', '-'], { input }),
    helm: (major, ...args) => run(major === 3 ? binaries.helm3 : binaries.helm4, args),
    stopApiServer: () => processes['kube-apiserver'].stop(),
    startApiServer,
    stop,
  };
}

async function makePlace(directory: string, audited: boolean): Promise<ControlPlanePlace> {
  if (audited) await writeAuditPolicy(directory);
  const [etcd = 0, peer = 0, api = 0, manager = 0, scheduler = 0] = await findFreePorts(5);
  return {
    directory,
    audited,
    ports: { etcd, peer, api, manager, scheduler },
    kubeconfig: join(directory, 'kubeconfig'),
    certificates: await makeCertificates(join(directory, 'certificates')),
  };
}

function processesOf(
  place: ControlPlanePlace,
  { kubemini, etcd }: KubernetesBinaries,
): Readonly<Record<ControlPlaneName, ControlPlaneProcess>> {
  const commands: Readonly<Record<ControlPlaneName, readonly string[]>> = {
    etcd: [etcd, ...etcdArguments(place)],
    'kube-apiserver': [kubemini, ...apiServerArguments(place)],
    'kube-controller-manager': [kubemini, ...managerArguments(place)],
    'kube-scheduler': [kubemini, ...schedulerArguments(place)],
  };
  const processOf = (name: ControlPlaneName) => new ControlPlaneProcess(name, place.directory, commands[name]);
  return {
    etcd: processOf('etcd'),
    'kube-apiserver': processOf('kube-apiserver'),
    'kube-controller-manager': processOf('kube-controller-manager'),
    'kube-scheduler': processOf('kube-scheduler'),
  };
}

/** Waits until `path` can be read. */
async function waitFor(path: string, connection: KubeApi, of: ControlPlaneProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await connection.get(path);
      return;
    } catch (cause) {
      if (Date.now() > deadline || !(await of.isRunning())) {
        throw new Error(`${of.name} of the lab did not get ready:\n${await of.logTail()}`, { cause });
      }
    }
    await sleep(50);
  }
}

/** Helm's own folders, so that nothing of this user is read or changed. */
function helmFolders(directory: string): Record<string, string> {
  return Object.fromEntries(
    ['CACHE', 'CONFIG', 'DATA'].map((name) => [`HELM_${name}_HOME`, join(directory, 'helm', name.toLowerCase())]),
  );
}

/** Ends what runs of a Kubernetes in `directory`, whoever started it, and removes its folder. Does nothing when there is none. */
export async function removeKubernetes(directory: string): Promise<void> {
  for (const name of CONTROL_PLANE) await new ControlPlaneProcess(name, resolve(directory), []).stop();
  await rm(directory, { recursive: true, force: true });
}
