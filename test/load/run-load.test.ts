import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadPolicy, type Connection } from '../../src/core/input/input.js';
import { runLoad } from '../../src/load/run-load.js';

/** Stands in for the load process: prints what of the environment it was given, and ends when it is told to. */
const PRINTS_ITS_ENVIRONMENT = `
process.on('SIGTERM', () => process.exit(0));
const leftOut = Object.entries(process.env).map(([name, value]) => name + '=' + value);
setInterval(() => console.log(JSON.stringify({
  started: 0, failedCalls: 0, inFlight: 0, longestGapMs: 0, pid: process.pid, rssBytes: 0, leftOut,
})), 50);
`;

let folder: string;
let mainFile: string;
const before = { ...process.env };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'run-load-'));
  mainFile = join(folder, 'main.mjs');
  await writeFile(mainFile, PRINTS_ITS_ENVIRONMENT);
  Object.assign(process.env, { TARGET_KEY: 'one', COPIED_KEY: 'two', OTHER_KEY: 'three', TEMPORAL_CONFIG_FILE: '/t' });
});
afterEach(async () => {
  process.env = { ...before };
  await rm(folder, { recursive: true });
});

async function environmentFor(connection: Connection, copied?: Connection): Promise<readonly string[]> {
  const own = [{ workflowType: 't', taskQueue: 'q' }];
  const copyMixOf = copied && { connection: copied, namespaces: ['default'] };
  const stop = new AbortController();
  let environment: readonly string[] = [];
  await runLoad({
    connection,
    policy: LoadPolicy.parse({ own, copyMixOf }),
    ledgerFile: join(folder, 'ledger.sqlite'),
    loadId: 'a',
    mainFile,
    signal: stop.signal,
    onProgress: ({ leftOut = [] }) => {
      environment = leftOut;
      stop.abort();
    },
  });
  return environment;
}

const reached = (env: string): Connection => ({ address: 'host:7233', apiKey: { env } });

test('the load process gets the secret of the target, and no other', async () => {
  const environment = await environmentFor(reached('TARGET_KEY'));
  expect(environment).toContain('TARGET_KEY=one');
  expect(environment.join()).not.toMatch(/COPIED_KEY|OTHER_KEY/);
});

test('and what it needs for the cluster whose mix is copied', async () => {
  const environment = await environmentFor(reached('TARGET_KEY'), reached('COPIED_KEY'));
  expect(environment).toEqual(expect.arrayContaining(['TARGET_KEY=one', 'COPIED_KEY=two']));
  expect(environment.join()).not.toContain('OTHER_KEY');
  const byProfile = await environmentFor(reached('TARGET_KEY'), { profile: 'live' });
  expect(byProfile).toEqual(expect.arrayContaining(['TARGET_KEY=one', 'TEMPORAL_CONFIG_FILE=/t']));
});
