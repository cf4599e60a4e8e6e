import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { checkHealth } from '../../src/adapters/grpc-health.js';
import { findLatePort } from '../helpers/late-server.js';

/** A second, and the 20 % by which gRPC lets it vary (connection-backoff.md of gRPC), is the first back-off. */
const AFTER_BACK_OFF_MS = 1_500;

test('a server that is asked before it listens is not connected to later, when nobody asks', async () => {
  const port = await findLatePort();
  expect(await checkHealth(port.address, 'x')).toBe('UNREACHABLE');
  await using server = await port.listen();
  await sleep(AFTER_BACK_OFF_MS);
  expect(server.connections()).toBe(0);
  expect(await checkHealth(port.address, 'x')).toBe('UNREACHABLE');
  expect(server.connections()).toBeGreaterThan(0); // so it would have been seen
});
