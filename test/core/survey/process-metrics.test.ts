import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { parseMetrics } from '../../../src/core/measuring/metrics.js';
import { readProcessMetrics } from '../../../src/core/survey/process-metrics.js';

const read = (before: string, after = before) => readProcessMetrics(parseMetrics(before), parseMetrics(after), 1_000);

test('reads a page of a real server', async () => {
  const page = await readFile(new URL('../../fixtures/metrics-1.29.1-before.txt', import.meta.url), 'utf8');
  expect(read(page)).toMatchObject({ buildVersion: '1.29.1', restarts: 4, shards: 1, windowMs: 1_000 });
});

const PAGE = `
build_information{build_version="1_31_2",service_name="history"} 1
restarts{service_name="history"} 1
numshards_gauge{operation="ShardController"} 4
sharditem_created_count{operation="ShardController"} 4
persistence_requests{operation="GetShard"} 90
persistence_requests{operation="UpdateShard"} 10
persistence_errors{operation="UpdateShard"} 2
persistence_latency_sum{operation="GetShard"} 0.9
persistence_latency_count{operation="GetShard"} 90
persistence_latency_sum{operation="UpdateShard"} 0.1
persistence_latency_count{operation="UpdateShard"} 10
visibility_persistence_requests{operation="List"} 7
persistence_sql_max_open_conn{db_kind="main"} 20
persistence_sql_in_use{db_kind="main"} 20
persistence_sql_max_open_conn{db_kind="visibility"} 10
persistence_sql_in_use{db_kind="visibility"} 1
`;

test('adds up calls, and tells the fullest pool', () => {
  expect(read(PAGE)).toEqual({
    buildVersion: '1.31.2',
    restarts: 1,
    shards: 4,
    windowMs: 1_000,
    shardsMoved: 0,
    persistence: { requests: 100, errors: 2, recentErrors: 0, meanLatencyMs: expect.closeTo(10, 5) },
    visibility: { requests: 7, errors: 0, recentErrors: 0 },
    pool: { inUse: 20, most: 20 },
  });
});

test('rises are those between the two pages', () => {
  const after = PAGE.replace(
    'persistence_errors{operation="UpdateShard"} 2',
    'persistence_errors{operation="UpdateShard"} 5',
  )
    .replace(
      'sharditem_created_count{operation="ShardController"} 4',
      'sharditem_created_count{operation="ShardController"} 6',
    )
    .concat('sharditem_removed_count{operation="ShardController"} 1\n');
  expect(read(PAGE, after)).toMatchObject({ shardsMoved: 3, persistence: { errors: 5, recentErrors: 3 } });
});

test('takes a prefix and the suffixes of OpenTelemetry', () => {
  const page = `
temporal_build_information{build_version="v1.30.7"} 1
temporal_restarts_total 1
temporal_persistence_requests_total 4
temporal_persistence_latency_milliseconds_sum 10
temporal_persistence_latency_milliseconds_count 4
`;
  expect(read(page)).toMatchObject({
    buildVersion: '1.30.7',
    restarts: 1,
    persistence: { requests: 4, meanLatencyMs: 2.5 },
  });
});

test('what a page does not have is not 0', () => {
  const { buildVersion, shards, shardsMoved, pool } = read('restarts 1\n');
  expect({ buildVersion, shards, shardsMoved, pool }).toEqual({});
});
