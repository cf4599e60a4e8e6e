import { expect, test } from '@jest/globals';
import { chooseRelease, noRelease, releasesOf, type WorkloadHead } from '../../../src/core/pods/releases.js';

const head = (name: string, more: Partial<WorkloadHead> = {}): WorkloadHead => ({
  ...{ kind: 'deployment', namespace: 'temporal', name, labels: {}, owners: [] },
  ...more,
});
const ofChart = (instance: string, component: string, namespace = 'temporal') =>
  head(`${instance}-${component}`, {
    namespace,
    labels: {
      'app.kubernetes.io/name': 'temporal',
      'app.kubernetes.io/instance': instance,
      'app.kubernetes.io/component': component,
    },
  });
const ofOperator = (cluster: string, component: string, apiVersion = 'temporal.io/v1beta1') =>
  head(`${cluster}-${component}`, {
    labels: { 'app.kubernetes.io/name': cluster, 'app.kubernetes.io/component': component },
    owners: [{ apiVersion, kind: 'TemporalCluster', name: cluster }],
  });
const namesOf = (heads: readonly WorkloadHead[]) =>
  releasesOf(heads).map(({ namespace, name, by, workloads }) => [namespace, name, by, workloads.length]);

test('a cluster is what has the labels of the chart, or what a TemporalCluster owns', () => {
  expect(
    namesOf([
      ofChart('prod', 'history'),
      ofChart('prod', 'frontend'),
      ofChart('prod', 'web'),
      ofChart('prod', 'history', 'other'),
      ofOperator('live', 'history'),
      ofOperator('live', 'ui'),
      ofOperator('foreign', 'history', 'example.org/v1'),
      head('nothing-of-ours', { labels: { 'app.kubernetes.io/component': 'frontend' } }),
    ]),
  ).toEqual([
    ['temporal', 'prod', 'chart', 2],
    ['other', 'prod', 'chart', 1],
    ['temporal', 'live', 'operator', 1],
  ]);
});

test('the release that is meant is named where there are several', () => {
  const releases = releasesOf([ofChart('prod', 'history'), ofOperator('live', 'history')]);
  const place = { namespace: 'temporal' };
  expect(chooseRelease(releases, { ...place, release: 'live' })).toMatchObject({ name: 'live', by: 'operator' });
  expect(chooseRelease(releases.slice(0, 1), place)).toMatchObject({ name: 'prod' });
  expect(chooseRelease([], { ...place, release: 'prod' })).toBeUndefined();
  expect(() => chooseRelease(releases, place)).toThrow('several releases: prod, live; say which with --release');
  expect(() => chooseRelease(releases, { ...place, release: 'x' })).toThrow('no release "x"; there is prod, live');
});

test('where there is none, the namespaces that have some are named', () => {
  const asked = { namespace: 'default', release: 'prod' };
  expect(noRelease(asked, releasesOf([ofChart('prod', 'history')])).message).toMatch(
    /^namespace default has no workloads .*instance=prod and component.*; these have some: temporal \(release prod\)$/,
  );
  expect(noRelease(asked, []).message).toContain('no other namespace of this cluster has some either');
  expect(noRelease(asked, { unseen: 'forbidden' }).message).toContain('is not known: forbidden');
});
