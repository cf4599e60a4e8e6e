import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { AdminConnection } from '../../../src/adapters/cluster/admin-connection.js';
import { findLatePort } from '../../helpers/late-server.js';

test('a connection that could not be made does not go on trying', async () => {
  const port = await findLatePort();
  await expect(AdminConnection.connect({ address: port.address, connectTimeout: 300 })).rejects.toThrow();
  await using server = await port.listen();
  // The back-offs of a channel that is left open would be 1, 1.6 and 2.6 s long, 20 % more or less.
  await sleep(5_000);
  // One that is closed while it waits for the end of a back-off tries once more (grpc-js 1.14).
  expect(server.connections()).toBeLessThan(2);
});
