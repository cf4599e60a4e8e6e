import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MeterFile } from '../../../src/adapters/meter/meter-file.js';
import { quiet, roundsOf } from '../../helpers/rounds.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'temporal-upgrade-meter-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rounds = roundsOf(quiet(6));
const at = (index: number): number => rounds[index]?.at ?? NaN;

test('a meter that was killed goes on in the same file, and the first sample of a beat counts', () => {
  const path = join(folder, 'deep', 'rounds.sqlite');
  const first = new MeterFile(path, 'prod'); // killed: never closed
  for (const round of rounds.slice(0, 3)) first.append(round);
  using second = new MeterFile(path, 'prod');
  for (const round of rounds.slice(2)) second.append({ ...round, processes: [] });
  expect(second.rounds(at(1), at(4)).map((round) => [round.at, round.processes.length])).toEqual([
    [at(1), 3],
    [at(2), 3],
    [at(3), 0],
    [at(4), 0],
  ]);
  expect(second.lastBeat()).toBe(at(5));
  expect(second.count(at(4), at(5))).toBe(2);
  second.forgetBefore(at(4));
  expect(second.rounds(0, Infinity).map((round) => round.at)).toEqual([at(4), at(5)]);
  first[Symbol.dispose]();
});

test('a clock that was set back leaves no rounds of a time that is yet to come', () => {
  using file = new MeterFile(join(folder, 'clock.sqlite'), 'prod');
  for (const round of rounds) file.append(round);
  file.forgetAfter(at(2));
  expect(file.lastBeat()).toBe(at(2));
  expect(file.count(at(0), at(5))).toBe(3);
});

test('an empty file has no last beat; the file of another target is refused', () => {
  const path = join(folder, 'other.sqlite');
  using file = new MeterFile(path, 'prod');
  expect(file.lastBeat()).toBeUndefined();
  expect(() => new MeterFile(path, 'staging')).toThrow(/samples of prod, not of staging/);
});
