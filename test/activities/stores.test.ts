import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { guard } from '../../src/activities/guard.js';
import { createStoreActivities } from '../../src/activities/stores.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { BackupResult } from '../../src/contract/activities.js';
import { parseTarget } from '../../src/core/input/input.js';
import { targetText } from '../helpers/rollout-input.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stores-'));
  for (const { name } of targetText('live').driver.nodes) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'development.yaml'), 'persistence: {}\n');
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The configuration, as it needs no database; databases are backed up into the same folder. */
function backUp(firstRunId: string): Promise<BackupResult> {
  const text = targetText('live');
  const nodes = text.driver.nodes.map((node) => ({ ...node, configDir: join(folder, node.name) }));
  const target = parseTarget({ ...text, driver: { ...text.driver, nodes }, backupDir: join(folder, 'backups') });
  const record = { target, dataDir: folder, rolloutId: 'upgrade-live', firstRunId };
  const place = { ...record, environment: 'live', from: '1.30.7', to: '1.31.2', attempt: 1 } as const;
  const { backUpConfiguration } = guard(createStoreActivities({ tools: createToolResolver() }));
  return new MockActivityEnvironment().run(backUpConfiguration, place);
}

test('a roll-out takes no backup of an earlier one with its id for its own', async () => {
  // Begun in the same minute.
  const first = await backUp('01a22dd0-439e-7e5a-a215-9695d457f0e5');
  const second = await backUp('01a22dd0-4396-74de-898a-85c4c955ef4c');
  expect(first.file).toContain('upgrade-live/live-1.30.7-to-1.31.2-1-d457f0e5/');
  expect(second.file).toContain('upgrade-live/live-1.30.7-to-1.31.2-1-c955ef4c/');
  expect((await readdir(join(folder, 'backups', 'upgrade-live'))).length).toBe(2);
});

test('another try of the same roll-out finds its own', async () => {
  const first = await backUp('01a22dd0-439e-7e5a-a215-9695d457f0e5');
  expect((await backUp('01a22dd0-439e-7e5a-a215-9695d457f0e5')).file).toBe(first.file);
});
