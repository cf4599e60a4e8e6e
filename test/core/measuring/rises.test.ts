import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../src/core/judging/judge.js';
import type { Check, Observation } from '../../../src/core/measuring/observation.js';
import type { ProcessSample, Round } from '../../../src/core/measuring/round.js';
import { cutWindow } from '../../../src/core/measuring/window.js';
import { BOUNDS } from '../../helpers/observations.js';
import { at, BEAT_MS, FROM, quiet, roundsOf, type Did } from '../../helpers/rounds.js';

const LAST = 18;
const ends = { from: FROM, to: FROM + LAST * BEAT_MS, beatMs: BEAT_MS, minRequests: 200 };
const baseline = cutWindow(roundsOf(quiet()), { kind: 'baseline', ...ends });
const rolled = (rounds: readonly Round[]): Observation => cutWindow(rounds, { kind: 'roll', ...ends });
const judged = (rounds: readonly Round[]) => judge({ observation: rolled(rounds), baseline, bounds: BOUNDS });
const check = (rounds: readonly Round[], id: string): Check | undefined =>
  judged(rounds).checks.find((one) => one.id === id);
const timeOf = (beat: number): number => FROM + beat * BEAT_MS;
const without = (rounds: readonly Round[], ...beats: readonly number[]) =>
  rounds.filter((round) => !beats.map(timeOf).includes(round.at));
/** The rounds of frontend-1 doing that at some beats. */
const doing = (did: Readonly<Record<number, Did>>): Round[] =>
  roundsOf({
    ...quiet(),
    did: Object.fromEntries(Object.entries(did).map(([beat, what]) => [at(Number(beat), 'frontend-1'), what])),
  });
/** The same with the sample of frontend-1 at a beat changed. */
const changed = (rounds: readonly Round[], beat: number, how: (sample: ProcessSample) => ProcessSample): Round[] =>
  rounds.map((round) =>
    round.at === timeOf(beat)
      ? { ...round, processes: round.processes.map((one) => (one.node === 'frontend-1' ? how(one) : one)) }
      : round,
  );
const unread = (sample: ProcessSample): ProcessSample => ({ ...sample, reading: undefined, problem: 'time-out' });
const frontend = (rounds: readonly Round[]) => rolled(rounds).processes.find(({ node }) => node === 'frontend-1');

describe('what a process counted before it was started anew', () => {
  const errors = doing({ 8: { errors: 40 }, 9: { restarts: true } });

  test('is known up to the last sample before', () => {
    expect(judged(errors).verdict).toBe('fail');
    expect(judged(doing({ 9: { restarts: true } })).verdict).toBe('pass');
  });

  test('is lost with that sample', () => {
    const rounds = without(errors, 8);
    expect(judged(rounds).verdict).not.toBe('pass');
    expect(check(rounds, 'counters-whole')).toMatchObject({
      verdict: 'inconclusive',
      about: expect.stringMatching(/^frontend-1: it was started anew/),
    });
  });

  test('is lost with its page, also when it was on its way down', () => {
    expect(frontend(changed(errors, 8, unread))).toMatchObject({ lost: true });
    const draining = (sample: ProcessSample) => ({ ...unread(sample), health: 'NOT_SERVING' as const });
    expect(frontend(changed(errors, 8, draining))).toMatchObject({ lost: true });
  });

  test('a second restart is not hidden by a sample that is missing', () => {
    const twice = doing({ 9: { restarts: true }, 10: { restarts: true } });
    expect(check(twice, 'restarts')).toMatchObject({ verdict: 'fail', value: 2 });
    expect(judged(without(twice, 9)).verdict).toBe('inconclusive');
  });

  test('is not lost while the process is down, or when the new one is there and its page is not', () => {
    const restarted = doing({ 9: { restarts: true } });
    const down = (sample: ProcessSample) => ({ ...unread(sample), running: false, instance: undefined });
    expect(judged(changed(changed(doing({ 10: { restarts: true } }), 8, down), 9, down)).verdict).toBe('pass');
    expect(judged(changed(restarted, 9, unread)).verdict).toBe('pass');
  });
});

describe('behind a Prometheus', () => {
  /** Each page is the one of the beat before it, or of the given one, and was scraped when the given function says. */
  const scraped = (rounds: readonly Round[], of: (beat: number) => number, late = 0): Round[] =>
    rounds.map((round, beat) => ({
      ...round,
      processes: round.processes.map((one) => {
        const page = rounds[of(beat)]?.processes.find(({ node }) => node === one.node);
        return { ...one, reading: page?.reading, readAt: timeOf(of(beat)) - late };
      }),
    }));
  /** The process of beat 9 began four seconds before. */
  const began = (rounds: readonly Round[]): Round[] =>
    rounds.map((round) =>
      round.at < timeOf(9)
        ? round
        : { ...round, processes: round.processes.map((one) => ({ ...one, beganAt: timeOf(9) - 4_000 })) },
    );
  const restarted = doing({ 9: { restarts: true } });

  test('a page is of the run that was there when it was scraped', () => {
    // At beat 9 Prometheus still has the page of beat 8.
    const rounds = began(scraped(restarted, (beat) => (beat === 9 ? 8 : beat)));
    expect(frontend(rounds)).toMatchObject({ restarts: 1 });
    expect(frontend(rounds)?.fell).toBeUndefined();
    expect(rolled(rounds).totals.requests).toBe(18 * 60);
    expect(judged(rounds).verdict).toBe('pass');
  });

  test('what the run before counted after the last beat is kept where it was scraped', () => {
    const old = roundsOf(quiet())[9]?.processes.find(({ node }) => node === 'frontend-1');
    const rounds = changed(began(scraped(restarted, (beat) => beat)), 9, (sample) => ({
      ...sample,
      reading: old?.reading,
      readAt: timeOf(9) - 5_000, // one second before the new one began
    }));
    expect(frontend(rounds)).toMatchObject({ restarts: 1 });
    expect(frontend(rounds)?.fell).toBeUndefined();
    expect(rolled(rounds).totals.requests).toBe(9 * 60 + 10 * 60);
  });

  test('a page that is shown twice is one sample', () => {
    const rounds = scraped(roundsOf(quiet()), (beat) => beat - (beat % 2));
    expect(rolled(rounds).totals.requests).toBe(18 * 60);
    expect(judged(rounds).verdict).toBe('pass');
  });

  test('counts of the last scrapes are not in the window: its end was not seen', () => {
    const errors = doing({ 18: { errors: 40 } });
    expect(judged(scraped(errors, (beat) => beat)).verdict).toBe('fail');
    const late = scraped(errors, (beat) => Math.min(beat, 16));
    expect(rolled(late).totals.errors).toBe(0);
    expect(check(late, 'process-samples')).toMatchObject({
      verdict: 'inconclusive',
      about: expect.stringMatching(/^frontend-1: what Prometheus had of it was 20 s old; a beat has to be as long/),
    });
  });

  test('a page of the last beat but one shows the end well enough, a restart too', () => {
    expect(judged(scraped(restarted, (beat) => beat, 9_000)).verdict).toBe('pass');
  });

  test('what the run before counted since it was last scraped is lost when that was more than a beat', () => {
    const rounds = began(scraped(restarted, (beat) => (beat === 7 || beat === 8 ? 6 : beat)));
    expect(frontend(rounds)).toMatchObject({ lost: true });
    expect(judged(rounds).verdict).toBe('inconclusive');
  });
});
