import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { queryPrometheus } from '../../../src/adapters/meter/prometheus.js';
import { MetricsSource } from '../../../src/core/input/input.js';

/*
 * Answers as Prometheus' HTTP API documents them. A real Prometheus is asked in test/real/prometheus.test.ts; what one of
 * them does when something is wrong with it can only be said here.
 */
let server: Server;
afterEach(() => void server.close());

async function answering(status: number, answer: (query: string) => string): Promise<MetricsSource> {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => (body += String(data)));
    request.on('end', () => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(answer(new URLSearchParams(body).get('query') ?? ''));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return MetricsSource.parse({ prometheus: `http://127.0.0.1:${port}/`, labels: { cluster: 'prod' } });
}

const vector = (...result: object[]) => JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
const NOW = 1_763_760_000;

test('gives the series of each address as Prometheus has them, of this cluster alone', async () => {
  const queries: string[] = [];
  const source = await answering(200, (query) => {
    queries.push(query);
    if (query.includes('timestamp')) return vector({ metric: { instance: 'a:9090' }, value: [NOW, `${NOW - 20}`] });
    return vector(
      { metric: { __name__: 'service_requests', instance: 'a:9090', operation: 'X' }, value: [NOW, '42'] },
      { metric: { __name__: 'x_bucket', instance: 'a:9090', le: '+Inf' }, value: [NOW, '+Inf'] },
    );
  });
  const found = await queryPrometheus(source, ['a:9090', 'b.c:9090'], 5_000);
  const samples = [
    { name: 'service_requests', labels: { instance: 'a:9090', operation: 'X' }, value: 42 },
    { name: 'x_bucket', labels: { instance: 'a:9090', le: '+Inf' }, value: Infinity },
  ];
  expect([...found]).toEqual([['a:9090', { readAt: (NOW - 20) * 1_000, samples }]]);
  // A page is then never older than it is said to be.
  expect(queries.map((query) => query.includes('timestamp'))).toEqual([true, false]);
  expect(queries.every((query) => query.includes('instance=~"a:9090|b\\\\.c:9090",cluster="prod"'))).toBe(true);
});

test('what Prometheus last heard long ago is not what a process shows now', async () => {
  const source = await answering(200, (query) =>
    query.includes('timestamp')
      ? vector({ metric: { instance: 'a:9090' }, value: [NOW, `${NOW - 120}`] })
      : vector({ metric: { __name__: 'service_requests', instance: 'a:9090' }, value: [NOW, '42'] }),
  );
  expect((await queryPrometheus(source, ['a:9090'], 5_000)).size).toBe(0);
});

test.each([
  [503, '', /answers HTTP status 503/],
  [200, '<html>', /does not answer as the HTTP API/],
  [200, '{"status":"error","errorType":"bad_data"}', /does not answer as the HTTP API/],
] as const)('an answer %i %j is an error, never no series', async (status, body, expected) => {
  const source = await answering(status, () => body);
  await expect(queryPrometheus(source, ['a:9090'], 5_000)).rejects.toThrow(expected);
});

test('no answer is an error that names the address', async () => {
  const source = await answering(200, () => '');
  server.close();
  await expect(queryPrometheus(source, ['a:9090'], 5_000)).rejects.toThrow(/no answer of the Prometheus at http:/);
});
