import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { countOf, quantile } from '../../../src/core/measuring/histogram.js';
import { isWantedName, reducePage, type Reading } from '../../../src/core/measuring/series.js';
import { parseMetrics } from '../../../src/core/measuring/metrics.js';

const PAGE = `
build_information{build_version="1_31_2",service_name="frontend"} 1
num_goroutines{service_name="frontend"} 812
service_requests{namespace="default",operation="StartWorkflowExecution"} 40
service_requests{namespace="other",operation="StartWorkflowExecution"} 2
service_requests{namespace="_unknown_",operation="Check"} 900
persistence_requests{operation="GetOrCreateShard"} 7
visibility_persistence_requests{operation="ListWorkflowExecutions"} 5
persistence_error_with_type{error_type="persistence_TimeoutError"} 3
persistence_error_with_type{error_type="serviceerror_NotFound"} 30
approximate_backlog_age_seconds{taskqueue="a"} 4
approximate_backlog_age_seconds{taskqueue="b"} 9
service_latency_nouserlatency_bucket{operation="StartWorkflowExecution",service_name="frontend",le="0.01"} 30
service_latency_nouserlatency_bucket{operation="StartWorkflowExecution",service_name="frontend",le="0.02"} 42
service_latency_nouserlatency_bucket{operation="StartWorkflowExecution",service_name="frontend",le="+Inf"} 42
service_latency_nouserlatency_bucket{operation="PollWorkflowTaskQueue",service_name="frontend",le="+Inf"} 500
persistence_latency_bucket{operation="GetOrCreateShard",le="0.005"} 7
persistence_latency_bucket{operation="GetOrCreateShard",le="+Inf"} 7
`;

const reduce = (page: string): Reading => reducePage(parseMetrics(page));
const expected = {
  values: {
    requests: 42,
    errors: 0,
    persistenceRequests: 7,
    persistenceTimeouts: 3,
    visibilityRequests: 5,
    backlogAgeSeconds: 9,
    panics: 0,
  },
  histograms: {
    startLatency: [
      [10, 30],
      [20, 42],
      [null, 42],
    ],
    persistenceLatency: [
      [5, 7],
      [null, 7],
    ],
  },
  version: '1.31.2',
};

test('a page is reduced to what is judged', () => {
  expect(reduce(PAGE)).toMatchObject(expected);
  expect(reduce(PAGE).histograms.signalLatency).toBeUndefined();
  expect(reduce(PAGE).spelling).toEqual({ prefix: '', counters: '', timers: '' });
});

/** As OpenTelemetry's exporter writes it, in milliseconds or seconds. */
const otel = (prefix: string, unit: 'milliseconds' | 'seconds'): string =>
  PAGE.replace(/^(\w+_requests|persistence_error_with_type)\{/gm, '$1_total{')
    .replace(/^(\w+_latency\w*)_bucket\{/gm, `$1_${unit}_bucket{`)
    .replace(/le="([\d.]+)"/g, (_, le: string) => `le="${unit === 'seconds' ? le : Number(le) * 1_000}"`)
    .replace(/^(?=\w)/gm, prefix);

test.each([
  ['', 'milliseconds'],
  ['', 'seconds'],
  ['temporal_', 'milliseconds'],
  ['my_temporal_', 'seconds'],
] as const)('whatever prefix (%j) and unit (%s) the names are spelled with', (prefix, unit) => {
  expect(reduce(otel(prefix, unit))).toMatchObject(expected);
  expect(reduce(otel(prefix, unit)).spelling).toEqual({ prefix, counters: '_total', timers: `_${unit}` });
});

test('a timer without a unit in its name is told by its smallest bound', () => {
  const page = PAGE.replace(/le="([\d.]+)"/g, (_, le: string) => `le="${Number(le) * 1_000}"`);
  expect(reduce(page)).toMatchObject(expected);
});

test('an older name is found where the newer one is not', () => {
  expect(reduce(PAGE.replaceAll('service_latency_nouserlatency', 'service_latency'))).toMatchObject(expected);
});

test('what a server shows from its first rise on counts as zero; what it always shows is missing', () => {
  const { values } = reduce(PAGE.replace(/^(service_requests|visibility).*\n/gm, ''));
  expect(values.errors).toBe(0);
  expect(values.requests).toBeUndefined();
  expect(values.visibilityRequests).toBeUndefined();
});

test('something else than the page of a server is an error', () => {
  expect(() => reduce('<html>\nup 1')).toThrow(/Temporal server/);
});

test('the page of a real server', async () => {
  const page = await readFile(new URL('../../fixtures/metrics-1.29.1-after.txt', import.meta.url), 'utf8');
  const kept = page
    .split('\n')
    .filter((line) => isWantedName(/^\w*/.exec(line)?.[0] ?? ''))
    .join('\n');
  expect(reduce(kept)).toEqual(reduce(page));
  expect(reduce(page)).toMatchObject({ version: '1.29.1', values: { visibilityRequests: 5 } });
});

test('p99 is read out of a histogram, linear within a bound', () => {
  const { startLatency = [] } = reduce(PAGE).histograms;
  expect(countOf(startLatency)).toBe(42);
  expect(quantile(startLatency, 0.5)).toBeCloseTo(7);
  expect(quantile(startLatency, 0.99)).toBeCloseTo(19.65);
  expect(quantile([], 0.99)).toBeNull();
});
