import { expect, test } from '@jest/globals';
import { resultText } from '../../src/report/result-text.js';
import { decision, hop, phase, result } from '../helpers/statuses.js';

test('says how it ended, what ran where, what people let pass, and where all of it stands', () => {
  const overridden = { by: 'ada', reason: 'known noise' };
  const hops = [hop(), hop({ environment: 'live', phases: [phase('baseline', 'fail', { overridden })], incidents: 1 })];
  const decisions = [decision(), decision({ counted: false, refused: 'not open' })];
  const lines = resultText(result({ hops, decisions, reportDir: '/var/reports/upgrade-prod' })).split('\n');
  expect(lines).toEqual([
    'upgrade-prod  completed  in 2h, at 2026-01-01T12:00:00.000Z',
    '',
    'staging   prod-staging: 1.30.7 -> 1.31.2',
    'live      prod: 1.30.7 -> 1.31.2',
    'hop       staging 1.30.7 -> 1.31.2: completed, 12s of work, 1m 30s for people',
    'hop       live 1.30.7 -> 1.31.2: completed, 12s of work, 1m 30s for people',
    'people    2 decisions, 1 of them not counted; 3 incidents',
    '!         overridden by ada: baseline: fail (known noise)',
    '',
    'report    /var/reports/upgrade-prod',
    '          temporal-upgrade report upgrade-prod --html report.html',
  ]);
});

test('is never wider than a terminal', () => {
  const text = resultText(
    result({
      rolloutId: 'u'.repeat(120),
      status: 'aborted',
      reason: 'no more '.repeat(40),
      reportDir: `/${'d'.repeat(200)}`,
    }),
  );
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toContain('aborted');
});
