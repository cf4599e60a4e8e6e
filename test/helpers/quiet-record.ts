import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { LoadWindow } from '../../src/core/ledger.js';
import { addHistograms, riseOf } from '../../src/core/measuring/histogram.js';
import { isRingsBeat, type Round } from '../../src/core/measuring/round.js';
import { SERIES, type Reading, type SeriesKey } from '../../src/core/measuring/series.js';

/** Length of the windows that the record is judged in. */
export const QUIET_WINDOW_MS = 40_000;

/** What test/fixtures/record-quiet.ts saw of a real cluster under load. */
export interface QuietRecord {
  readonly beatMs: number;
  readonly rounds: readonly Round[];
  /** What the load did in each stretch of {@link QUIET_WINDOW_MS}, one after the other. */
  readonly loads: readonly LoadWindow[];
}

export function readQuietRecord(): QuietRecord {
  const file = new URL('../fixtures/quiet-rounds.json.gz', import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as QuietRecord; // written by record-quiet.ts alone
}

/** Beats that stay together in {@link resample}: what happens at one beat often belongs to the one before. */
const BLOCK = 5;

/** As many rounds as there are, drawn from them block by block, with what each process counted in them added up anew. */
export function resample(rounds: readonly Round[], seed: number): Round[] {
  const random = randomOf(seed);
  const [first] = rounds;
  if (first === undefined) return [];
  const drawn = [first];
  const sums = new Map(first.processes.map(({ node, reading }) => [node, reading]));
  while (drawn.length < rounds.length) {
    const begin = 1 + Math.floor(random() * (rounds.length - BLOCK));
    for (let index = begin; index < begin + BLOCK && drawn.length < rounds.length; index += 1) {
      const at = first.at + drawn.length * first.beatMs;
      drawn.push(drawRound({ rounds, index, at, sums }));
    }
  }
  return drawn;
}

interface Draw {
  readonly rounds: readonly Round[];
  readonly index: number;
  readonly at: number;
  /** What each process has counted so far. */
  readonly sums: Map<string, Reading | undefined>;
}

function drawRound({ rounds, index, at, sums }: Draw): Round {
  const round = rounds[index] ?? never();
  const earlier = rounds[index - 1] ?? never();
  const processes = round.processes.map((sample) => {
    const before = earlier.processes.find(({ node }) => node === sample.node)?.reading;
    const sum = sums.get(sample.node);
    if (sample.reading === undefined || before === undefined || sum === undefined) return never();
    const reading = addRise(sum, before, sample.reading);
    sums.set(sample.node, reading);
    return { ...sample, reading };
  });
  const rings = isRingsBeat(at, round.beatMs) ? rounds.findLast((one) => one.rings !== undefined)?.rings : undefined;
  return { ...round, at, processes, rings };
}

function addRise(sum: Reading, before: Reading, after: Reading): Reading {
  const values = Object.entries(after.values).map(([key, value]) => {
    const name = key as SeriesKey; // of a Reading
    const rise = value - (before.values[name] ?? 0);
    return [key, SERIES[name].kind === 'counter' ? (sum.values[name] ?? 0) + rise : value];
  });
  const histograms = Object.entries(after.histograms).map(([key, now]) => {
    const name = key as SeriesKey;
    const rise = riseOf(before.histograms[name] ?? [], now) ?? never();
    return [key, addHistograms([sum.histograms[name] ?? [], rise])];
  });
  return {
    ...after,
    values: Object.fromEntries(values) as Reading['values'],
    histograms: Object.fromEntries(histograms) as Reading['histograms'],
  };
}

function never(): never {
  throw new Error('the record is of a cluster that was quiet: every page was read, and nothing fell');
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
