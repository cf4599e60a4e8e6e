import { afterEach, expect, test } from '@jest/globals';
import { startHealthServer, type Health } from '../../src/adapters/health-server.js';

let server: Awaited<ReturnType<typeof startHealthServer>> | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function asked(path: string, look: () => Promise<Health>): Promise<readonly [number, unknown]> {
  server = await startHealthServer('127.0.0.1:0', look);
  const response = await fetch(`http://${server.address}${path}`);
  return [response.status, await response.json()];
}

test('what is ready is told with 200', async () => {
  const health = { ready: true, state: 'RUNNING' };
  expect(await asked('/readyz', () => Promise.resolve(health))).toEqual([200, health]);
});

test('what is not ready is told with 503 and why', async () => {
  const health = { ready: false, state: 'RUNNING', problem: 'the control plane does not answer' };
  expect(await asked('/readyz?verbose', () => Promise.resolve(health))).toEqual([503, health]);
});

test('a look that fails is not ready', async () => {
  const failing = () => Promise.reject(new Error('no idea'));
  expect(await asked('/readyz', failing)).toEqual([503, { ready: false, state: 'UNKNOWN', problem: 'no idea' }]);
});

test('it lives even when it is not ready', async () => {
  expect(await asked('/livez', () => Promise.reject(new Error('no idea')))).toEqual([200, { live: true }]);
});

test('another path is told what there is', async () => {
  const [status] = await asked('/health', () => Promise.reject(new Error('not asked')));
  expect(status).toBe(404);
});

test.each(['8080', 'localhost', ':8080', '127.0.0.1:99999', '127.0.0.1:x'])('%s is no address', async (address) => {
  await expect(startHealthServer(address, () => Promise.reject(new Error('not asked')))).rejects.toThrow(
    /expected host:port/,
  );
});

test('an address that is taken is told', async () => {
  const look = () => Promise.resolve({ ready: true, state: 'RUNNING' });
  server = await startHealthServer('127.0.0.1:0', look);
  await expect(startHealthServer(server.address, look)).rejects.toThrow(
    new RegExp(`^no health endpoint at ${server.address}: .*EADDRINUSE`),
  );
});
