import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Driver } from '../../src/adapters/driver.js';
import { deniedRules } from '../../src/adapters/kubernetes/access.js';
import { createKubeApi } from '../../src/adapters/kubernetes/api.js';
import { surveyKubernetes } from '../../src/adapters/kubernetes/survey-kubernetes.js';
import type { KubernetesDriver } from '../../src/core/input/input.js';
import { accessRules, ruleName } from '../../src/core/pods/access-rules.js';
import type { LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { BEHAVIOUR_ANNOTATION } from '../../src/lab/kubernetes/behaviour.js';
import { plainWorkloads } from '../../src/lab/kubernetes/plain-workloads.js';
import type { StandIn } from '../../src/lab/kubernetes/stand-in.js';
import { compileSource } from '../helpers/compiled-source.js';
import { waitUntil } from '../helpers/kubernetes-cases.js';
import { kubernetesInput, NEW, OLD, openDriver, roll } from '../helpers/kubernetes-workloads.js';
import {
  KUBERNETES_STARTS_WITHIN_MS,
  startPretendedKubernetes,
  type PretendedKubernetes,
} from '../helpers/pretended-kubernetes.js';

/** The driver with helm 3 and helm 4, and under the Role that is shipped, against a real API server; its pods only pretend. */

const TIMEOUT_MS = 240_000;
const CHART = fileURLToPath(new URL('../../src/lab/kubernetes/chart', import.meta.url));
const ROLES = ['role.yaml', 'role-helm.yaml'].map((file) =>
  fileURLToPath(new URL(`../../service/kubernetes/${file}`, import.meta.url)),
);
let lab: PretendedKubernetes;
let directory: string;
let kubernetes: LabKubernetes;
let standIn: StandIn;
let compiled: ReturnType<typeof compileSource>;
let made = 0;

beforeAll(async () => {
  compiled = compileSource(['core', 'adapters']);
  lab = await startPretendedKubernetes('helm');
  ({ directory, kubernetes, standIn } = lab);
}, KUBERNETES_STARTS_WITHIN_MS);

afterAll(async () => {
  compiled.remove();
  await lab?.stop();
}, 60_000);

const Images = z.object({
  items: z.array(z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) })),
});

/** Tags of the images of a role's pods, in order. */
async function tagsOf(namespace: string, role: string): Promise<string[]> {
  const selector = `app.kubernetes.io/component=${role}`;
  const text = await kubernetes.kubectl('get', 'pods', '-n', namespace, '-l', selector, '-o', 'json');
  const { items } = Images.parse(JSON.parse(text));
  return items.map(({ spec }) => spec.containers[0]?.image.split(':')[1] ?? '').sort();
}

async function annotationsOf(namespace: string): Promise<string> {
  return kubernetes.kubectl('get', 'deployments', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.annotations}');
}

interface Opened {
  readonly namespace: string;
  readonly input: KubernetesDriver;
  readonly driver: Driver;
}

/** A release of the lab's chart in a namespace of its own. */
async function open(major: 3 | 4, more: object = {}, values: object = {}): Promise<Opened> {
  const namespace = `helm-${(made += 1)}`;
  const file = join(directory, `${namespace}.yaml`);
  await writeFile(file, stringify(values));
  await kubernetes.helm(major, 'install', 'temporal', CHART, '-n', namespace, '--create-namespace', '-f', file);
  const helm = major === 3 ? kubernetes.binaries.helm3 : kubernetes.binaries.helm4;
  const change = { by: 'helm', helm: [helm], chart: CHART, values: [file], ...more };
  const input = kubernetesInput(kubernetes.kubeconfig, namespace, { change });
  const driver = openDriver(input);
  await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
  return { namespace, input, driver };
}

describe.each([3, 4] as const)('helm %i', (major) => {
  test(
    'forward and back, role by role, one pod at a time; the release is deployed, nothing is left held',
    async () => {
      const { namespace, driver } = await open(major);
      await driver.prepare(NEW);
      await driver.prepare(OLD);
      const seen: string[] = [];
      await roll(driver, 'forward', NEW, async (node) => {
        const tags = await Promise.all(
          ['matching', 'history', 'frontend', 'worker'].map((role) => tagsOf(namespace, role)),
        );
        seen.push(`${node}: ${tags.map((one) => one.filter((tag) => tag === NEW).length).join(' ')}`);
      });
      expect(seen).toEqual([
        'matching-1: 1 0 0 0',
        'matching-2: 2 0 0 0',
        'history-1: 2 1 0 0',
        'history-2: 2 2 0 0',
        'frontend-1: 2 2 1 0',
        'frontend-2: 2 2 2 0',
        'worker-1: 2 2 2 1',
        'worker-2: 2 2 2 2',
      ]);
      expect(await tagsOf(namespace, 'history')).toEqual([NEW, NEW]);
      expect(await annotationsOf(namespace)).not.toContain('temporal-upgrade/');
      expect(await kubernetes.helm(major, 'status', 'temporal', '-n', namespace)).toMatch(/STATUS: deployed/);
      // The tools beside the servers are pinned by the values, and the schema's job was not run again.
      expect(await tagsOf(namespace, 'admintools')).toEqual([OLD]);
      await roll(driver, 'back', OLD);
      for (const role of ['matching', 'history', 'frontend', 'worker'])
        expect(await tagsOf(namespace, role)).toEqual([OLD, OLD]);
      expect(await annotationsOf(namespace)).not.toContain('temporal-upgrade/');
    },
    TIMEOUT_MS,
  );

  test(
    'a role that fails is put back; those before it stay, and the roll goes on when it is mended',
    async () => {
      const { namespace, driver } = await open(major);
      await driver.replaceNode?.('matching-1', NEW);
      await driver.replaceNode?.('matching-2', NEW);
      standIn.behave({ tag: NEW, namespace, component: 'history' }, { kind: 'crash' });
      await expect(driver.replaceNode?.('history-1', NEW)).rejects.toThrow(/exit code 1/);
      await driver.replaceNode?.('history-1', OLD);
      expect(await tagsOf(namespace, 'history')).toEqual([OLD, OLD]);
      expect(await tagsOf(namespace, 'matching')).toEqual([NEW, NEW]);
      standIn.behave({ tag: NEW, namespace, component: 'history' }, undefined);
      await roll(driver, 'forward', NEW);
      expect(await tagsOf(namespace, 'worker')).toEqual([NEW, NEW]);
      expect(await tagsOf(namespace, 'matching')).toEqual([NEW, NEW]);
      expect(await annotationsOf(namespace)).not.toContain('temporal-upgrade/');
    },
    TIMEOUT_MS,
  );

  test(
    'killed while helm runs, the next try takes the release up',
    async () => {
      const { namespace, input, driver } = await open(major);
      const script = `
        const [folder] = process.argv.slice(1);
        const { createKubernetesDriver } = await import(folder + '/adapters/kubernetes/kubernetes-driver.js');
        const driver = createKubernetesDriver(${JSON.stringify(input)});
        await driver.replaceNode('matching-1', '${NEW}', { onProgress: (text) => { if (/^helm upgrade/.test(text)) process.stdout.write('helm'); } });`;
      for (const ms of [0, 150, 400]) {
        const options = ['--input-type=module', '-e', script, '--', compiled.directory];
        const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
        const ended = once(child, 'close');
        await Promise.race([once(child.stdout, 'data'), ended]);
        await sleep(ms);
        child.kill('SIGKILL');
        await ended;
      }
      await driver.replaceNode?.('matching-1', NEW);
      expect(await tagsOf(namespace, 'matching')).toEqual([OLD, OLD, NEW]);
      await roll(driver, 'forward', NEW);
      expect(await tagsOf(namespace, 'frontend')).toEqual([NEW, NEW]);
      expect(await kubernetes.helm(major, 'status', 'temporal', '-n', namespace)).toMatch(/STATUS: deployed/);
    },
    TIMEOUT_MS,
  );

  test(
    'found before anything is changed: a pending release, a chart that keeps the image, a schema job that is no hook',
    async () => {
      const { namespace, input, driver } = await open(major);
      // Somebody's helm waits for a hook that does not end, and is killed.
      const hanging = join(directory, `${namespace}-hanging.yaml`);
      const behaviour = JSON.stringify({ kind: 'run', endsAfterMs: 600_000 });
      await writeFile(hanging, stringify({ schema: { podAnnotations: { [BEHAVIOUR_ANNOTATION]: behaviour } } }));
      const program = major === 3 ? kubernetes.binaries.helm3 : kubernetes.binaries.helm4;
      const place = ['-n', namespace, '--kubeconfig', kubernetes.kubeconfig];
      const helm = spawn(program, ['upgrade', 'temporal', CHART, '-f', hanging, ...place], { stdio: 'ignore' });
      const ended = once(helm, 'close');
      const isPending = async () =>
        (await kubernetes.helm(major, 'status', 'temporal', '-n', namespace)).includes('pending-upgrade');
      await waitUntil(isPending);
      helm.kill('SIGKILL');
      await ended;
      await expect(driver.prepare(NEW)).rejects.toThrow(
        /release temporal is pending-upgrade \(revision 2\)[^]*helm rollback temporal 1/,
      );
      await expect(driver.replaceNode?.('matching-1', NEW)).rejects.toThrow(/release temporal is pending-upgrade/);
      await kubernetes.helm(major, 'rollback', 'temporal', '1', '-n', namespace, '--no-hooks');
      await driver.endRoll?.();
      await driver.prepare(NEW);
      const change = { ...input.change, set: { 'server.image.tga': '{tag}' } };
      const mistaken = openDriver(kubernetesInput(kubernetes.kubeconfig, namespace, { change }));
      await expect(mistaken.prepare(NEW)).rejects.toThrow(
        /the chart renders the image temporalio\/server:1\.30\.7 for deployment\/temporal-history, not one of 1\.31\.2/,
      );
      const file = join(directory, `${namespace}-job.yaml`);
      await writeFile(file, stringify({ schema: { useHelmHooks: false }, server: { history: { replicaCount: 3 } } }));
      const withJob = { ...input.change, values: [file] };
      const other = openDriver(kubernetesInput(kubernetes.kubeconfig, namespace, { change: withJob }));
      await expect(other.prepare(NEW)).rejects.toThrow(
        /would run the Job temporal-schema beside the servers[^]*renders 3 pods for deployment\/temporal-history, which is to have 2/,
      );
    },
    TIMEOUT_MS,
  );
});

test(
  'helm 4 says who has set the image to something else',
  async () => {
    const { namespace, driver } = await open(4);
    const image = 'temporal-history=temporalio/server:1.30.6';
    await kubernetes.kubectl('set', 'image', 'deployment/temporal-history', image, '-n', namespace);
    await waitUntil(async () => (await tagsOf(namespace, 'history')).join() === '1.30.6,1.30.6');
    await expect(driver.replaceNode?.('history-1', NEW)).rejects.toThrow(
      /helm upgrade of release temporal failed[^]*kubectl-set/,
    );
  },
  TIMEOUT_MS,
);

describe('rights', () => {
  /** A kubeconfig of a service account that has the Roles of these files and no others. */
  async function accountWith(namespace: string, files: readonly string[]): Promise<string> {
    await kubernetes.kubectl('create', 'serviceaccount', 'worker', '-n', namespace);
    for (const [index, file] of files.entries()) {
      await kubernetes.kubectl('apply', '-n', namespace, '-f', file);
      const role = index === 0 ? 'temporal-upgrade' : 'temporal-upgrade-helm';
      await kubernetes.kubectl(
        ...[
          'create',
          'rolebinding',
          `worker-${index}`,
          `--role=${role}`,
          `--serviceaccount=${namespace}:worker`,
          '-n',
          namespace,
        ],
      );
    }
    const token = (await kubernetes.kubectl('create', 'token', 'worker', '-n', namespace, '--duration=2h')).trim();
    const { server, caFile } = kubernetes.access;
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'lab', cluster: { server, 'certificate-authority': caFile } }],
      users: [{ name: 'worker', user: { token } }],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'worker' } }],
      'current-context': 'lab',
    };
    const file = join(directory, `${namespace}-worker.kubeconfig`);
    await writeFile(file, stringify(kubeconfig), { mode: 0o600 });
    return file;
  }

  test(
    'the shipped Role suffices for all that the driver does by image, and it asks for nothing else',
    async () => {
      const namespace = `rights-${(made += 1)}`;
      await kubernetes.apply(plainWorkloads({ namespace, version: OLD }));
      const input = kubernetesInput(await accountWith(namespace, ROLES.slice(0, 1)), namespace);
      const driver = openDriver(input);
      await waitUntil(async () => (await driver.listNodes()).every(({ running }) => running));
      await driver.prepare(NEW);
      const survey = await surveyKubernetes(input);
      expect(JSON.stringify(survey)).not.toContain('unseen');
      standIn.behave({ tag: NEW, namespace }, { kind: 'crash', log: ['why it ended'] });
      await expect(driver.replaceNode?.('matching-1', NEW)).rejects.toThrow(/Its events:[^]*why it ended/);
      standIn.behave({ tag: NEW, namespace }, undefined);
      await driver.replaceNode?.('matching-1', OLD);
      await roll(driver, 'forward', NEW);
      await driver.stopNode('worker-1');
      await driver.startNode('worker-1', NEW);
      expect((await driver.configurationFiles?.())?.length).toBe(5);
      expect(await tagsOf(namespace, 'history')).toEqual([NEW, NEW, NEW]);
    },
    TIMEOUT_MS,
  );

  test(
    'both Roles suffice for helm',
    async () => {
      const { namespace, input } = await open(3);
      const account = await accountWith(namespace, ROLES);
      const driver = openDriver({ ...input, kubeconfig: account });
      await driver.prepare(NEW);
      await roll(driver, 'forward', NEW);
      expect(await tagsOf(namespace, 'worker')).toEqual([NEW, NEW]);
      expect((await driver.configurationFiles?.())?.map(({ path }) => path)).toContain('values-temporal.yaml');
    },
    TIMEOUT_MS,
  );

  test(
    'each right that is missing is named, before anything is changed',
    async () => {
      const namespace = `rights-${(made += 1)}`;
      await kubernetes.apply(plainWorkloads({ namespace, version: OLD }));
      const input = kubernetesInput(await accountWith(namespace, []), namespace);
      const api = createKubeApi(input);
      expect((await deniedRules(api, input)).map(ruleName)).toEqual(accessRules(input).map(ruleName));
      await expect(openDriver(input).prepare(NEW)).rejects.toThrow(
        /missing: get deployments\.apps \(for finding[^]*patch deployments\.apps[^]*list events[^]*role\.yaml/,
      );
      await expect(openDriver(input).listNodes()).rejects.toThrow(
        /\(403\): deployments\.apps is forbidden[^]*role\.yaml/,
      );
    },
    TIMEOUT_MS,
  );
});
