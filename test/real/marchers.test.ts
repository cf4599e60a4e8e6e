import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Target } from '../../src/core/input/input.js';
import { Marchers } from '../../src/march/marchers.js';
import { OneServer } from '../helpers/one-server.js';
import { targetText } from '../helpers/rollout-input.js';

// Its news would stand between the results of the tests.
Runtime.install({ logger: new DefaultLogger('WARN') });

let directory: string;
let server: OneServer;
let connection: Connection;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'marchers-'));
  server = await OneServer.start(directory);
  connection = await Connection.connect({ address: server.address });
}, 120_000);

afterAll(async () => {
  await connection.close();
  await server.kill();
  await rm(directory, { recursive: true, force: true });
});

test('marchers end right when each signal came once; one that came twice shows', async () => {
  const cluster = { target: Target.parse(targetText('live')), frontends: [server.address] };
  const workflowsPath = fileURLToPath(new URL('../../src/march/marcher-workflow.ts', import.meta.url));
  const marchers = await Marchers.start(cluster, { count: 3, last: '1.22.4', say: () => undefined, workflowsPath });
  try {
    await marchers.signal('1.20.5');
    await marchers.signal('1.20.5'); // was sent already
    const [id] = marchers.ids;
    await new Client({ connection }).workflow.getHandle(id ?? '').signal('step', '1.20.5');
    await marchers.signal('1.21.6');
    await marchers.signal('1.22.4');
    expect(await marchers.finish()).toEqual({ started: 3, signalsSent: 9, finishedRight: 2 });
  } finally {
    await marchers.stop();
  }
}, 120_000);
