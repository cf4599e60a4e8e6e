import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand } from '../../src/adapters/run-command.js';
import { findHelm, type HelmPrograms } from '../../src/lab/kubernetes/helm-programs.js';
import { ADDRESS, FULL, VALUES, valuesFile, WORKER_CHART } from '../helpers/worker-chart.js';

/** Which values helm 3 and helm 4 take for the chart of the worker; no API server is asked. */

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'worker-values-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe.each([3, 4] as const)('helm %i', (major) => {
  let programs: HelmPrograms;

  beforeAll(async () => {
    programs = await findHelm(major);
  }, 600_000);

  const helm = async (...args: string[]) =>
    (await runCommand(programs.helm, args, { env: { HOME: directory } })).stdout;

  test('finds nothing wrong with the chart', async () => {
    const file = await valuesFile(directory, `lint-${major}`, VALUES);
    expect(await helm('lint', WORKER_CHART, '--strict', '--values', file)).toMatch(/, 0 chart\(s\) failed/);
    const full = await valuesFile(directory, `lint-full-${major}`, FULL);
    expect(await helm('lint', WORKER_CHART, '--strict', '--values', full)).toMatch(/, 0 chart\(s\) failed/);
  });

  test.each([
    [{}, /controlPlane\.address is ""; expected host:port of the Temporal that runs the roll-outs/],
    [{ controlPlane: { address: 'http://a:7233' } }, /controlPlane\.address is "http:\/\/a:7233"; expected host:port/],
    [{ ...VALUES, controlplane: {} }, /controlplane/],
    [{ controlPlane: { address: ADDRESS, taskqueue: 'x' } }, /controlPlane.*taskqueue|taskqueue.*controlPlane/],
    [{ ...VALUES, replicas: 'two' }, /replicas.*integer/],
    [{ ...VALUES, replicas: 2 }, /replicas is 2, but .*ReadWriteMany, or replicas to 1/],
    [{ ...VALUES, targets: [{ namespace: 'temporal' }] }, /targets.0.*\bby\b/],
    [{ ...VALUES, targets: [{ namespace: 'temporal', by: 'Helm' }] }, /targets.0.by.*'?"?image.*command.*helm/],
    [
      { ...VALUES, targets: [{ namespace: 'Temporal', by: 'helm' }] },
      /targets\[0\]\.namespace is "Temporal"; expected/,
    ],
    [
      {
        ...VALUES,
        targets: [
          { namespace: 'a', by: 'helm' },
          { namespace: 'a', by: 'image' },
        ],
      },
      /targets\[1\]\.namespace is "a", which is there already/,
    ],
    [{ ...VALUES, persistence: { data: { size: '10 GB' } } }, /persistence\.data\.size is "10 GB"; expected an amount/],
    [{ ...VALUES, files: [{ mountPath: '/x' }] }, /files\[0\] \(\/x\) names neither; expected either configMap or sec/],
    [
      { ...VALUES, files: [{ mountPath: 'x', secret: 'certificates' }] },
      /files\[0\]\.mountPath is "x"; expected an absolute/,
    ],
    [{ ...VALUES, env: { NUMBER: 1 } }, /env.NUMBER.*string/],
    [{ controlPlane: { address: ADDRESS, tls: { authority: true } } }, /controlPlane\.tls\.secret is empty; expected/],
  ])('refuses %j', async (values, message) => {
    const file = await valuesFile(directory, `wrong-${major}`, values);
    await expect(helm('template', 'worker', WORKER_CHART, '--values', file)).rejects.toThrow(message);
  });
});
