import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createComposeDriver } from '../../../src/adapters/compose/compose-driver.js';
import { readOverride } from '../../../src/adapters/compose/override-file.js';
import { splitAddress } from '../../../src/core/address.js';
import { composeInput } from '../../helpers/compose-project.js';
import { PretendedEngine, type PretendedOptions } from '../../helpers/pretended-engine.js';

/** Services of several containers, and what keeps services from being replaced; a single one with a real engine is in test/real. */

const [OLD, NEW] = ['1.29.1', '1.30.7'];
let directory: string;
let listening: Server;
let rpcPort: number;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'compose-driver-'));
  listening = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  rpcPort = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  listening.close();
  await rm(directory, { recursive: true, force: true });
});

let made = 0;
function project(services: PretendedOptions['services'], more: Partial<PretendedOptions> = {}) {
  const file = join(directory, `${(made += 1)}.yaml`);
  const engine = new PretendedEngine({ services, image: `temporalio/server:${OLD}`, overrideFile: file, ...more });
  const input = composeInput({
    files: [join(directory, 'compose.yaml')],
    overrideFile: file,
    services: ['frontend', 'history', 'matching', 'worker'].map((role) => ({ service: role, roles: [role], rpcPort })),
  });
  return { engine, file, driver: createComposeDriver(input, engine) };
}
const ONE_EACH = { frontend: 1, matching: 1, worker: 1 };

test('a scaled service is replaced one container at a time, and back', async () => {
  const { engine, file, driver } = project({ ...ONE_EACH, history: 3 });
  const runs = async () =>
    (await driver.listNodes()).filter(({ role }) => role === 'history').map(({ name, version }) => [name, version]);
  expect(await runs()).toEqual(['history-1', 'history-2', 'history-3'].map((name) => [name, OLD]));

  await driver.stopNode('history-1');
  expect(await runs()).toEqual([
    ['history-1', undefined],
    ['history-2', OLD],
    ['history-3', OLD],
  ]);
  // Where it was is known still, though a container that has stopped has no address.
  expect(splitAddress((await driver.listNodes())[1]?.rpcAddress ?? '').host).toBe('127.0.0.1');
  expect(await driver.startNode('history-1', NEW)).toMatchObject({ name: 'history-1', running: true, version: NEW });
  expect(engine.imagesOf('history')).toEqual([`2:${OLD}`, `3:${OLD}`, `4:${NEW}`]);
  expect(await runs()).toEqual([
    ['history-1', NEW],
    ['history-2', OLD],
    ['history-3', OLD],
  ]);
  expect(await readOverride(file)).toEqual({ images: { history: `temporalio/server:${NEW}` }, containers: {} });
  expect(engine.ran).toEqual([
    'stop --time 120 temporal-history-1',
    'rm temporal-history-1',
    'up --detach --no-deps --no-recreate --no-build --scale history=3 history',
  ]);

  // The way back begins with the last one that was replaced.
  await driver.stopNode('history-1');
  await driver.startNode('history-1', OLD);
  expect(engine.imagesOf('history').map((text) => text.split(':')[1])).toEqual([OLD, OLD, OLD]);
}, 30_000);

test('killed between removing a container and making it anew, the next attempt makes it, and stops no other', async () => {
  const { engine, file, driver } = project({ ...ONE_EACH, history: 2 });
  await driver.stopNode('history-1');
  engine.killedBefore = 'up';
  await expect(driver.startNode('history-1', NEW)).rejects.toThrow('killed');
  expect(await driver.listNodes()).toMatchObject([
    { name: 'frontend', running: true },
    { name: 'history-1', running: false },
    { name: 'history-2', running: true, version: OLD },
    { name: 'matching' },
    { name: 'worker' },
  ]);
  await driver.stopNode('history-1');
  expect(await driver.startNode('history-1', NEW)).toMatchObject({ name: 'history-1', version: NEW });
  expect(engine.imagesOf('history')).toEqual([`2:${OLD}`, `3:${NEW}`]);
  expect((await readOverride(file)).containers).toEqual({});
}, 30_000);

test('the images of services that were replaced before stay in the file', async () => {
  const { driver, file } = project({ ...ONE_EACH, history: 1 });
  for (const name of ['matching', 'history']) {
    await driver.stopNode(name);
    await driver.startNode(name, NEW);
  }
  const image = `temporalio/server:${NEW}`;
  expect((await readOverride(file)).images).toEqual({ matching: image, history: image });
  expect(await driver.endRoll?.()).toEqual([expect.stringMatching(/by hand does not read it.*COMPOSE_FILE=compose/)]);
}, 30_000);

test('a container that ends at once: its last words, and it is not left to its restart policy', async () => {
  const statusOf = (image: string) => (image.endsWith(NEW) ? 'exited' : 'running');
  const { driver } = project({ ...ONE_EACH, history: 1 }, { statusOf });
  await driver.stopNode('history');
  await expect(driver.startNode('history', NEW)).rejects.toThrow(/ended at once.*fatal: no database/s);
  await driver.stopNode('history');
  expect(await driver.startNode('history', OLD)).toMatchObject({ running: true, version: OLD });
}, 40_000);

test('one that is never healthy is told with the words of its check', async () => {
  const more = (_: string, image: string) =>
    image.endsWith(NEW)
      ? {
          State: {
            Status: 'running',
            StartedAt: new Date(0).toISOString(),
            Health: { Status: 'unhealthy', Log: [{ Output: 'connection refused' }] },
          },
          Config: {
            Image: image,
            Labels: { 'com.docker.compose.service': 'history' },
            Healthcheck: { Test: ['CMD', 'x'] },
          },
        }
      : {};
  const { driver } = project({ ...ONE_EACH, history: 1 }, { more });
  await driver.stopNode('history');
  await expect(driver.startNode('history', NEW)).rejects.toThrow(/is unhealthy.*"connection refused"/s);
}, 30_000);

test('what cannot be replaced alone, or would bring the schema itself, is refused before anything is stopped', async () => {
  const leaning = { more: (service: string) => (service === 'worker' ? { Dependencies: ['id-1'] } : {}) };
  const first = project({ ...ONE_EACH, history: 1 }, leaning);
  await expect(first.driver.prepare(NEW)).rejects.toThrow(
    /temporal-worker-1 stands on temporal-frontend-1.*depends_on/,
  );
  const auto = project({ ...ONE_EACH, history: 1 }, { image: `temporalio/auto-setup:${OLD}` });
  await expect(auto.driver.prepare(NEW)).rejects.toThrow(/brings the schema.*SKIP_SCHEMA_SETUP/);
  const more = (service: string, image: string) => ({
    Config: {
      Image: image,
      Labels: {
        'com.docker.compose.service': service,
        'com.docker.compose.project.config_files': '/srv/compose.yaml,/srv/docker-compose.override.yml',
      },
    },
  });
  const files = project({ ...ONE_EACH, history: 1 }, { more });
  await expect(files.driver.prepare(NEW)).rejects.toThrow(/was made from docker-compose\.override\.yml too/);
  const { driver, engine } = project({ ...ONE_EACH, history: 1 });
  await driver.prepare(NEW);
  await expect(driver.prepare('1.30.99')).rejects.toThrow(
    /temporalio\/server:1\.30\.99.*cannot be had.*manifest unknown/,
  );
  expect(engine.ran).toEqual(['pull temporalio/server:1.30.99']);
});

test('an image whose tag is no version is told, with what to write', async () => {
  const { driver } = project({ ...ONE_EACH, history: 1 }, { image: 'temporalio/server:latest' });
  await expect(driver.listNodes()).rejects.toThrow(/names no server version.*driver\.images/);
});

test('what will be run is said, the file among it, and nothing of it is run', async () => {
  const { driver, engine, file } = project({ ...ONE_EACH, history: 2 });
  const lines = await driver.explain('history-2', NEW);
  expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    'docker stop --time',
    expect.stringMatching(/^printf/),
    'docker rm temporal-history-2',
    'docker compose up',
    expect.stringMatching(/^printf/),
  ]);
  expect(engine.ran).toEqual([]);
  await expect(readFile(file)).rejects.toThrow(/ENOENT/);
});
