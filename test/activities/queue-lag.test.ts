import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { meterFileOf } from '../../src/activities/meter.js';
import { queueLag } from '../../src/activities/queue-lag.js';
import { MeterFile } from '../../src/adapters/meter/meter-file.js';
import type { SettleRequest } from '../../src/contract/activities.js';
import { parseRolloutInput } from '../../src/core/input/input.js';
import type { Observation } from '../../src/core/measuring/observation.js';
import type { Round } from '../../src/core/measuring/round.js';
import type { Histogram } from '../../src/core/measuring/series.js';
import { cutWindow } from '../../src/core/measuring/window.js';
import { rolloutText } from '../helpers/rollout-input.js';
import { BEAT_MS, quiet, roundsOf } from '../helpers/rounds.js';

const BEATS = 30;
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'queue-lag-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Beats up to now; each shard is `behind` tasks and milliseconds behind, told 20 times a beat, or nothing is told. */
function rounds(behind: number | undefined): Round[] {
  const begin = (Math.floor(Date.now() / BEAT_MS) - BEATS) * BEAT_MS;
  return roundsOf(quiet(BEATS)).map((round, beat) => ({
    ...round,
    at: begin + beat * BEAT_MS,
    processes: round.processes.map((process) => {
      if (process.reading === undefined || behind === undefined || process.role !== 'history') return process;
      const told = 20 * (beat + 1);
      const lag: Histogram = [10, 100, 1_000, 10_000, null].map((bound) => [
        bound,
        bound === null || bound >= behind ? told : 0,
      ]);
      const histograms = { ...process.reading.histograms, immediateQueueLag: lag, scheduledQueueLag: lag };
      return { ...process, reading: { ...process.reading, histograms } };
    }),
  }));
}

function observed(of: readonly Round[]): Observation {
  const [from, to] = [of[0]?.at ?? NaN, of.at(-1)?.at ?? NaN];
  return cutWindow(of, { kind: 'baseline', from, to, beatMs: BEAT_MS, minRequests: 0 });
}

function request(baseline: Observation | undefined): SettleRequest {
  const { live: target, policy } = parseRolloutInput(rolloutText());
  const meter = { target, dataDir, meterId: 'live', beatMs: BEAT_MS };
  // Of the whole request these two are what is read.
  return { target, lag: { meter, bounds: policy.observation.bounds, baseline } } as unknown as SettleRequest;
}

function sampled(of: readonly Round[], asked: SettleRequest): void {
  if (asked.lag === undefined) return;
  using file = new MeterFile(meterFileOf(asked.lag.meter), asked.target.name);
  for (const round of of) file.append(round);
}

const since = () => Date.now() - BEATS * BEAT_MS;

test.each<[string, number | undefined, number | undefined, RegExp, boolean]>([
  ['as far behind as before', 50, 50, /^queues lag no more than before: /, false],
  ['a hundred times as far behind as before', 5_000, 50, /queue-lag|lag/, true],
  ['shards told nothing yet', undefined, 50, /^lag of the queues not judged: .*shards tell it every 5 minutes/, false],
])('%s', (_, now, before, said, isProblem) => {
  const asked = request(observed(rounds(before)));
  sampled(rounds(now), asked);
  const lag = queueLag(asked, since());
  expect(lag.said).toMatch(said);
  expect(lag.problem).toBe(isProblem ? lag.said : undefined);
});

test('what was sampled before the settle began does not count', () => {
  const asked = request(observed(rounds(50)));
  sampled(rounds(5_000), asked);
  expect(queueLag(asked, Date.now())).toEqual({ said: expect.stringMatching(/^lag of the queues not judged: /) });
});

test('without a baseline, and with a file that cannot be read, nothing is judged, and that is said', () => {
  expect(queueLag(request(undefined), since()).said).toContain('there is no baseline');
  const asked = request(observed(rounds(50)));
  sampled(rounds(50), { ...asked, target: { ...asked.target, name: 'other' } });
  expect(queueLag(asked, since())).toEqual({ said: expect.stringMatching(/not judged: .*samples of other/) });
});
