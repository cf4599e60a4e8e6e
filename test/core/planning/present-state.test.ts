import { expect, test } from '@jest/globals';
import type { ClusterFacts } from '../../../src/core/cluster.js';
import { Target } from '../../../src/core/input/input.js';
import { presentState } from '../../../src/core/planning/present-state.js';
import { targetText } from '../../helpers/rollout-input.js';

const target = Target.parse(targetText('prod'));

function factsWith(versions: readonly (string | undefined)[]): ClusterFacts {
  const store = { product: 'PostgreSQL 17.10', database: 'temporal', schemaVersion: '1.18', bytes: 1 };
  return {
    clusterId: 'a',
    clusterName: 'prod',
    historyShardCount: 4,
    persistenceStore: 'postgres12',
    visibilityStore: 'postgres12',
    frontends: [],
    namespaces: [],
    nodes: versions.map((version, index) => ({
      name: `history-${index}`,
      role: 'history',
      rpcAddress: `127.0.0.1:${7000 + index}`,
      running: version !== undefined,
      version,
    })),
    stores: { default: store, visibility: store },
  };
}

test.each<[string, readonly (string | undefined)[], string]>([
  ['all on one version', ['1.29.1', '1.29.1'], '1.29.1'],
  ['a hop left half-done is begun again from the older version', ['1.30.7', '1.29.1', '1.30.7'], '1.29.1'],
  ['versions compare by number', ['1.9.2', '1.10.0'], '1.9.2'],
  ['a node that does not run says nothing', [undefined, '1.29.1'], '1.29.1'],
])('%s', (_, versions, expected) => {
  expect(presentState(target, factsWith(versions)).version).toBe(expected);
});

test('a cluster that does not run has no version to start from', () => {
  expect(() => presentState(target, factsWith([undefined]))).toThrow('no server process of prod runs');
});
