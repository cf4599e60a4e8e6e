import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { guard } from '../../src/activities/guard.js';
import { createServerActivities } from '../../src/activities/servers.js';
import { snapshotFiles } from '../../src/activities/snapshot-files.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { HopPlace } from '../../src/contract/activities.js';
import { parseRolloutInput } from '../../src/core/input/input.js';
import { startGrpcServer } from '../helpers/grpc-server.js';
import { rolloutText } from '../helpers/rollout-input.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'servers-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** A way back whose frontend does not answer. */
async function wayBack(): Promise<HopPlace> {
  const server = await startGrpcServer({});
  const { address } = server;
  await server.close();
  const { live } = parseRolloutInput(rolloutText());
  const target = { ...live, connection: { address }, shardsFrom: 'admin' as const };
  const record = { target, dataDir, rolloutId: 'upgrade-live', firstRunId: 'first-run' };
  return { ...record, environment: 'live', from: '1.31.2', to: '1.30.7', attempt: 1 };
}

const snapshot = (place: HopPlace) => {
  const { takeSnapshot } = guard(createServerActivities({ tools: createToolResolver() }));
  return new MockActivityEnvironment().run(takeSnapshot, { ...place, shardsOnly: true });
};

test('where no frontend answers, the way back is held against what the way forward wrote down', async () => {
  const place = await wayBack();
  const { directory, shards } = snapshotFiles({ ...place, from: place.to, to: place.from });
  await mkdir(directory, { recursive: true });
  const takenAt = '2026-01-01T00:00:00.000Z';
  const rows = [1, 2].map((shardId) => ({ shardId, rangeId: '7', owner: '10.0.0.1:7234-1-a', updatedAt: takenAt }));
  await writeFile(shards, JSON.stringify({ takenAt, rows }));
  expect(await snapshot(place)).toEqual({ shards: 2, running: {}, takenAt });
});

test('and with nothing written down it is told that the frontend does not answer', async () => {
  const place = await wayBack();
  await expect(snapshot(place)).rejects.toThrow(
    'address' in place.target.connection ? place.target.connection.address : '',
  );
});
