import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  differenceOf,
  differencesBetween,
  type Difference,
  type StoredRun,
  type VisibleRun,
} from '../../../src/core/restoring/compare-runs.js';

const RUNNING = 1;
const COMPLETED = 2;
const PAUSED = 8;

const stored = (more: Partial<StoredRun> = {}): StoredRun => ({
  namespaceId: 'n',
  workflowId: 'w',
  runId: 'r',
  status: RUNNING,
  rangeId: 5n,
  ...more,
});
const visible = (more: Partial<VisibleRun> = {}): VisibleRun => ({
  namespaceId: 'n',
  runId: 'r',
  status: RUNNING,
  version: (5n << 20n) + 17n,
  ...more,
});

describe('the default store is the truth', () => {
  test.each<[string, StoredRun | undefined, VisibleRun | undefined, Difference | undefined]>([
    ['running in both', stored(), visible(), undefined],
    ['closed in both', stored({ status: COMPLETED }), visible({ status: COMPLETED }), undefined],
    ['started after the default store was dumped', undefined, visible(), 'remove'],
    ['started and closed after it', undefined, visible({ status: COMPLETED }), 'remove'],
    ['closed after it', stored(), visible({ status: COMPLETED }), 'correct'],
    ['paused after it', stored(), visible({ status: PAUSED }), 'correct'],
    ['resumed after it', stored({ status: PAUSED }), visible(), 'correct'],
    ['not written yet', stored(), undefined, 'write'],
    ['its close is still among the tasks', stored({ status: COMPLETED }), visible(), undefined],
    ['deleted from visibility first', stored({ status: COMPLETED }), undefined, undefined],
    ['a row that the next range would not overwrite', stored(), visible({ version: 6n << 20n }), 'correct'],
    ['the last id of the present range', stored(), visible({ version: (6n << 20n) - 1n }), undefined],
    ['a schema without versions', stored(), visible({ version: null }), undefined],
  ])('%s', (_, one, other, difference) => {
    expect(differenceOf(one, other)).toBe(difference);
  });
});

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

test('two series in order give the same as looking each run up', async () => {
  const key = fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('0', '1', '2', '3', '4', '5'));
  const keys = fc.uniqueArray(key, { selector: ([namespace, run]) => namespace + run });
  const status = fc.constantFrom(RUNNING, COMPLETED);
  const byKey = <T extends { namespaceId: string; runId: string }>(runs: T[]) =>
    runs.toSorted((a, b) => (a.namespaceId + a.runId < b.namespaceId + b.runId ? -1 : 1));
  await fc.assert(
    fc.asyncProperty(keys, keys, fc.array(status, { minLength: 24, maxLength: 24 }), async (left, right, statuses) => {
      const ofStored = byKey(
        left.map(([namespaceId, runId], index) => stored({ namespaceId, runId, status: statuses[index] ?? 1 })),
      );
      const ofVisible = byKey(
        right.map(([namespaceId, runId], index) => visible({ namespaceId, runId, status: statuses[12 + index] ?? 1 })),
      );
      const found: string[] = [];
      for await (const { what, run } of differencesBetween(each(ofStored), each(ofVisible)))
        found.push(`${what} ${run.namespaceId}${run.runId}`);
      const all = new Set([...ofStored, ...ofVisible].map(({ namespaceId, runId }) => namespaceId + runId));
      const expected = [...all].toSorted().flatMap((name) => {
        const named = (run: { namespaceId: string; runId: string }) => run.namespaceId + run.runId === name;
        const what = differenceOf(ofStored.find(named), ofVisible.find(named));
        return what === undefined ? [] : [`${what} ${name}`];
      });
      expect(found).toEqual(expected);
    }),
  );
});
