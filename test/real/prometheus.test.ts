import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { queryPrometheus, type Scraped } from '../../src/adapters/meter/prometheus.js';
import { MetricsSource } from '../../src/core/input/input.js';
import { reducePage } from '../../src/core/measuring/series.js';
import { parseMetrics } from '../../src/core/measuring/metrics.js';
import { findFreePort } from '../../src/lab/free-ports.js';
import { findPrometheus } from '../../src/lab/prometheus-binary.js';

/** A real Prometheus scrapes the page of a real server. */

let folder: string;
let server: Server;
let address: string;
let page: string;
let child: ChildProcess;
let source: MetricsSource;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-prometheus-'));
  page = await readFile(new URL('../fixtures/metrics-1.29.1-after.txt', import.meta.url), 'utf8');
  server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(page);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  const port = await findFreePort();
  const scrapes = `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: temporal, static_configs: [{ targets: ['${address}'], labels: { cluster: prod } }] }]
`;
  await writeFile(join(folder, 'prometheus.yml'), scrapes);
  const { program, env } = await findPrometheus();
  child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore', env: { ...process.env, ...env } },
  );
  source = MetricsSource.parse({ prometheus: `http://127.0.0.1:${port}`, labels: { cluster: 'prod' } });
}, 180_000);

afterAll(async () => {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** Asks until the answer is as wanted, or the time is over. @throws what the last question threw: no answer is none */
async function ask(until: (found: ReadonlyMap<string, Scraped>) => boolean): Promise<ReadonlyMap<string, Scraped>> {
  const deadline = Date.now() + 45_000;
  for (;;) {
    try {
      const found = await queryPrometheus(source, [address, 'other:1'], 5_000);
      if (until(found) || Date.now() > deadline) return found;
    } catch (error) {
      if (Date.now() > deadline) throw error; // it may not be up yet
    }
    await sleep(500);
  }
}

test('what Prometheus has of a process is what its page says', async () => {
  const found = await ask((series) => series.size > 0);
  expect([...found.keys()]).toEqual([address]);
  const scraped = found.get(address);
  expect(reducePage(scraped?.samples ?? [])).toEqual(reducePage(parseMetrics(page)));
  expect(Math.abs(Date.now() - (scraped?.readAt ?? 0))).toBeLessThan(60_000);
}, 60_000);

test('another cluster of the same Prometheus is not this one', async () => {
  expect((await queryPrometheus({ ...source, labels: { cluster: 'staging' } }, [address], 5_000)).size).toBe(0);
});

test('a process that Prometheus cannot scrape any more has no series, though some are still kept', async () => {
  server.closeAllConnections();
  server.close();
  expect((await ask((series) => series.size === 0)).size).toBe(0);
}, 60_000);
