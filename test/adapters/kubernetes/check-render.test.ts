import { expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { renderProblems } from '../../../src/adapters/kubernetes/check-render.js';
import { DeploymentShape } from '../../../src/adapters/kubernetes/shapes.js';
import { asWorkload, type Workload } from '../../../src/adapters/kubernetes/workload.js';
import { KubernetesDriver } from '../../../src/core/input/input.js';

const input = KubernetesDriver.parse({
  type: 'kubernetes',
  namespace: 'temporal',
  release: 'temporal',
  change: { by: 'helm', chart: 'temporal' },
});

/** A Deployment of history as a chart renders it. */
function history({ version = '1.31.2', replicas = 2, name = 'temporal-history' } = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: {} },
      template: { spec: { containers: [{ name: 'temporal-history', image: `temporalio/server:${version}` }] } },
    },
  };
}

/** The same as it is in the cluster. */
function workload(): Workload {
  const rendered = history({ version: '1.30.7' });
  const shape = DeploymentShape.parse({
    ...rendered,
    metadata: { name: 'temporal-history', uid: 'u', creationTimestamp: '2026-11-30T12:00:00Z' },
    spec: { ...rendered.spec, strategy: { type: 'RollingUpdate' } },
  });
  const found = asWorkload(shape, 'history', input);
  if (found === undefined) throw new Error('it has a container of the server');
  return found;
}

const problems = (...objects: readonly object[]) =>
  renderProblems(objects.map((one) => stringify(one)).join('---\n'), {
    workloads: [workload()],
    version: '1.31.2',
    input,
  });
/** The job of charts from 1.0.0-rc.1 on: each step is an init container. */
const steps = (...initContainers: readonly object[]) => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'temporal-schema-1-0-0-2' } },
  spec: {
    template: { spec: { initContainers, containers: [{ name: 'done', image: 'temporalio/admin-tools:1.30.7' }] } },
  },
});
const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'temporal-schema-1' }, spec: {} };

test.each([
  ['what it should be', [history()], []],
  ['another object is nobody’s business', [history(), { kind: 'Service', metadata: { name: 'x' } }], []],
  ['the image stays', [history({ version: '1.30.7' })], [/renders the image temporalio\/server:1\.30\.7/]],
  ['other pods', [history({ replicas: 5 })], [/renders 5 pods for deployment\/temporal-history, which is to have 2/]],
  ['another name', [history({ name: 'prod-history' })], [/renders no deployment\/temporal-history/]],
  ['a schema job beside the servers', [job, history()], [/would run the Job temporal-schema-1 beside the servers/]],
  ['a job with nothing to do', [steps(), history()], []],
  ['a job with a step', [steps({ name: 'manage-schema-default-store' }), history()], [/Job temporal-schema-1-0-0-2/]],
  ['nothing at all', [], [/renders no deployment\/temporal-history/]],
])('%s', (_, objects, expected) => {
  expect(problems(...objects)).toEqual(expected.map((message) => expect.stringMatching(message)));
});
