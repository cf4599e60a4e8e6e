import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readObservation, saveObservation } from '../src/observing.js';
import { observed } from './helpers/observations.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-observing-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const observation = observed({ kind: 'baseline' });
const saved = async (verdict: 'pass' | 'fail' | 'inconclusive'): Promise<string> => {
  const file = join(folder, `${verdict}.json`);
  await saveObservation(file, { target: 'prod', observation, verdict });
  return file;
};

describe('a saved observation', () => {
  test('is a baseline when it was judged a pass', async () => {
    expect(await readObservation(await saved('pass'), 'prod')).toEqual(observation);
  });

  test.each(['fail', 'inconclusive'] as const)('is none when it was judged %s', async (verdict) => {
    await expect(readObservation(await saved(verdict), 'prod')).rejects.toThrow(
      `was itself judged ${verdict}: nothing can be compared with it; make one that passes with --save`,
    );
  });

  test('is none of another target, and nothing else is one', async () => {
    await expect(readObservation(await saved('pass'), 'staging')).rejects.toThrow(/is of prod, not of staging/);
    const old = join(folder, 'old.json');
    await writeFile(old, JSON.stringify({ format: 1, target: 'prod', observation }));
    await expect(readObservation(old, 'prod')).rejects.toThrow(
      /is no baseline that observe --save of this build wrote/,
    );
    await expect(readObservation(join(folder, 'none.json'), 'prod')).rejects.toThrow(/cannot be read/);
  });
});
