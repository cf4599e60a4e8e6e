import { expect, test } from '@jest/globals';
import { chartOfLabel, chartsForServer, isChartSince, serverOfChart } from '../../../src/core/charts/chart-releases.js';

test.each([
  ['0.44.0', '1.24'],
  ['0.58.0', '1.27'],
  ['0.74.0', '1.30'],
  ['1.0.0-rc.2', '1.29'],
  ['1.0.0-rc.3', '1.30'],
  ['1.0.0', '1.30'],
  ['1.6.0', '1.31'],
  ['1.7.0', undefined],
  ['0.20.0', undefined],
])('chart %s was made for servers of %s', (chart, server) => {
  expect(serverOfChart(chart)).toBe(server);
});

test('charts of a minor of the server, in words', () => {
  expect(chartsForServer('1.29')).toBe('0.68.0 to 0.73.2, or 1.0.0-rc.1 to 1.0.0-rc.2');
  expect(chartsForServer('1.30')).toBe('0.74.0, or 1.0.0-rc.3 to 1.1.1');
  expect(chartsForServer('1.40')).toBeUndefined();
});

test('candidates come before their release; what is no version is older than all', () => {
  expect(isChartSince('1.0.0-rc.3', '1.0.0')).toBe(false);
  expect(isChartSince('1.0.0', '1.0.0-rc.3')).toBe(true);
  expect(isChartSince('ours', '0.1.0')).toBe(false);
});

test.each([
  ['temporal-1.0.0-rc.1', '1.0.0-rc.1'],
  ['temporal-0.74.0', '0.74.0'],
  ['ours-1.0.0', undefined],
  ['temporal-operator-0.2.0', undefined],
  [undefined, undefined],
])('%s', (label, version) => {
  expect(chartOfLabel(label)).toBe(version);
});
