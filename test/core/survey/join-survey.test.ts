import { expect, test } from '@jest/globals';
import { joinSurvey, type SurveyHalves } from '../../../src/core/survey/join-survey.js';
import type { Seen } from '../../../src/core/survey/seen.js';

type Processes = SurveyHalves['cluster']['processes'];

/** Only what is joined; the rest of a survey has no part in it. */
function halves(pools: readonly Seen<{ readonly default?: number; readonly visibility?: number }>[]): SurveyHalves {
  const processes = pools.map((pool, index) => ({
    name: `history-${index + 1}`,
    configuration:
      'unseen' in pool
        ? pool
        : {
            seen: {
              stores: Object.fromEntries(Object.entries(pool.seen).map(([part, maxConns]) => [part, { maxConns }])),
            },
          },
  })) as unknown as Processes;
  return {
    target: 'prod',
    takenAt: '2026-01-01T00:00:00.000Z',
    cluster: { processes },
    stores: { default: { place: 'a' }, visibility: { place: 'b' } },
  } as unknown as SurveyHalves;
}

test('a store learns how many connections all processes together may open to it', () => {
  const { stores } = joinSurvey(
    halves([{ seen: { default: 20, visibility: 5 } }, { seen: { default: 22, visibility: 5 } }]),
  );
  expect([stores.default?.maxConns, stores.visibility?.maxConns]).toEqual([{ seen: 42 }, { seen: 10 }]);
});

test('one process that is not known makes the sum not known', () => {
  const { stores } = joinSurvey(halves([{ seen: { default: 20, visibility: 5 } }, { unseen: 'a template' }]));
  expect(stores.default?.maxConns).toEqual({ unseen: 'the configuration of history-2: a template' });
  const silent = joinSurvey(halves([{ seen: { visibility: 5 } }])).stores;
  expect([silent.default?.maxConns, silent.visibility?.maxConns]).toEqual([
    { unseen: 'the configuration of history-1 does not say maxConns of the default store' },
    { seen: 5 },
  ]);
});
