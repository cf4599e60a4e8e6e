import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findEarlier, reportDir } from '../../src/activities/earlier-reports.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { hop, phase, result } from '../helpers/statuses.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'earlier-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function write(rollout: RolloutResult): Promise<void> {
  const file = join(reportDir(dataDir, rollout), 'report.json');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ rollout, evidence: [], earlier: [] }));
}

const inDecember = (day: number, more: Partial<RolloutResult> = {}) => {
  const startedAt = `2025-12-${String(day).padStart(2, '0')}T10:00:00.000Z`;
  return result({
    startedAt,
    hops: [hop({ startedAt, phases: [phase('servers', 'replaced', { seconds: day })] })],
    ...more,
  });
};

test('hops of the same versions, the newest first, without those of the roll-out itself or of a later one', async () => {
  const own = result();
  await write(own);
  await write(inDecember(1));
  await write(inDecember(3, { rolloutId: 'upgrade-other' }));
  await write(inDecember(2, { hops: [hop({ from: '1.29.1', to: '1.30.7' })] }));
  await write(result({ startedAt: '2027-01-01T10:00:00.000Z' }));
  const found = await findEarlier(dataDir, own);
  expect(found.map(({ rolloutId, seconds, from }) => [rolloutId, seconds, from])).toEqual([
    ['upgrade-other', 3, '1.30.7'],
    ['upgrade-prod', 1, '1.30.7'],
  ]);
});

test('ten for each pair of versions are enough', async () => {
  for (let day = 1; day <= 12; day += 1) await write(inDecember(day));
  expect((await findEarlier(dataDir, result())).map(({ seconds }) => seconds)).toEqual([
    12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
  ]);
});

test('what is no report is passed over, and there may be none', async () => {
  expect(await findEarlier(join(dataDir, 'nowhere'), result())).toEqual([]);
  const folder = join(dataDir, 'reports', 'x', 'y');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'report.json'), '{"rollout":');
  expect(await findEarlier(dataDir, result())).toEqual([]);
});
