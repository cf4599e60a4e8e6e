import { expect, test } from '@jest/globals';
import { migrateValues } from '../../../src/core/charts/migrate-values.js';
import { chartFindings } from '../../../src/core/checks/charts.js';
import type { ChartSurvey, KubernetesSurvey } from '../../../src/core/survey/kubernetes-survey.js';

const NOTHING = { seen: [] };
/** Where only charts are looked at. */
const survey = (charts?: KubernetesSurvey['charts']): KubernetesSurvey => ({
  ...{ namespace: 'temporal', change: 'helm', stopSeconds: 120 },
  ...{ denied: NOTHING, workloads: NOTHING, budgets: NOTHING, autoscalers: NOTHING },
  charts,
});
const WELL: ChartSurvey = { minor: '1.31', version: '1.6.0', server: '1.31', migrates: false, moved: [], left: [] };
const HOP = { to: '1.31.2' };
const found = (change: Partial<ChartSurvey>, hop: { to: string } | undefined = HOP) =>
  chartFindings(survey({ seen: [{ ...WELL, ...change }] }), hop);
const ids = (...given: Parameters<typeof found>) => found(...given).map(({ id, severity }) => [id, severity]);

const refused = migrateValues({ server: { internalFrontend: {}, config: { numHistoryShards: 4 } } }, { to: '1.6.0' });
const ignored = migrateValues({ server: { config: { numHistoryShards: 4 } } }, { to: '1.6.0' });
const bundled = migrateValues({ cassandra: { enabled: true } }, { to: '1.6.0' });

test('a chart that fits, another minor, no helm: nothing is said', () => {
  expect(ids({})).toEqual([]);
  expect(ids(refused, { to: '1.30.7' })).toEqual([]);
  expect(chartFindings(survey(), HOP)).toEqual([]);
});

test('keys that a chart refuses stop the hop before anything is changed; those that it ignores are a warning', () => {
  expect(ids(refused)).toEqual([['chart-values', 'block']]);
  expect(ids(ignored)).toEqual([['chart-values', 'warn']]);
  expect(found(refused)[0]).toMatchObject({
    found: 'chart 1.6.0 refuses server.internalFrontend, and ignores server.config.numHistoryShards of your values',
    action: expect.stringContaining(
      'server.config.numHistoryShards -> server.config.persistence.numHistoryShards; server.internalFrontend -> server.internal-frontend',
    ),
  });
});

test('where the roll-out moves them, that is said', () => {
  expect(ids({ ...refused, migrates: true })).toEqual([['chart-values', 'note']]);
  expect(found({ ...refused, migrates: true })[0]?.found).toContain(
    'server.internalFrontend -> server.internal-frontend',
  );
});

test('what only the operator can carry over stops the hop, whoever moves the rest', () => {
  expect(ids({ ...bundled, migrates: true })).toEqual([['chart-values-left', 'block']]);
  expect(chartFindings(survey({ seen: [{ ...WELL, ...bundled }] }), undefined)).toMatchObject([{ severity: 'warn' }]);
});

test('a chart that was made for other servers, with those that were made for these', () => {
  expect(found({ minor: '1.30', server: '1.31' }, { to: '1.30.7' })).toMatchObject([
    { id: 'chart-for-server', severity: 'warn', expected: 'chart 0.74.0, or 1.0.0-rc.3 to 1.1.1' },
  ]);
  expect(ids({ minor: undefined }, { to: '1.30.7' })).toEqual([['chart-for-server', 'warn']]);
  expect(ids({ server: undefined })).toEqual([]);
});

test('a chart that could not be looked at', () => {
  expect(chartFindings(survey({ unseen: 'no repository' }), HOP)).toMatchObject([
    { id: 'chart-unseen', severity: 'note' },
  ]);
});
