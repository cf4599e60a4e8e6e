import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MeterFile } from './adapters/meter/meter-file.js';
import { runMeter } from './adapters/meter/run-meter.js';
import { createToolResolver } from './adapters/tools/tool-resolver.js';
import { READABLE, writeWhole } from './adapters/write-whole.js';
import { Bounds, boundsOf } from './core/input/bounds.js';
import { messageOf, PreconditionError } from './core/errors.js';
import type { Target } from './core/input/input.js';
import { judge } from './core/judging/judge.js';
import { beatFor } from './core/measuring/round.js';
import { comingWindow, cutWindow } from './core/measuring/window.js';
import { SavedObservation } from './core/judging/saved-observation.js';
import type { Observation, Verdict } from './core/measuring/observation.js';

export interface ObserveOptions {
  readonly windowMs: number;
  readonly beatMs?: number | undefined;
  readonly baseline?: Observation | undefined;
  readonly onSample?: ((seen: number, of: number) => void) | undefined;
}

/** Measures a target from here for a while and judges it; changes nothing on it. */
export async function observeTarget(
  target: Target,
  { windowMs, baseline, onSample, ...options }: ObserveOptions,
): Promise<{ readonly observation: Observation; readonly verdict: Verdict }> {
  const beatMs = options.beatMs ?? beatFor(windowMs, target);
  const { from, to } = comingWindow({ now: Date.now(), windowMs, beatMs });
  const of = (to - from) / beatMs + 1;
  // In a file, as hours of rounds are more than memory should hold.
  const directory = await mkdtemp(join(tmpdir(), 'temporal-upgrade-observe-'));
  try {
    using file = new MeterFile(join(directory, 'rounds.sqlite'), target.name);
    let seen = 0;
    await runMeter({
      ...{ target, tools: createToolResolver(), beatMs, from, to },
      onRound: (round) => {
        file.append(round);
        seen += 1;
        onSample?.(seen, of);
      },
    });
    const kind = baseline === undefined ? 'baseline' : 'settled';
    const bounds = boundsOf(Bounds.parse({}), target);
    const { minRequests } = bounds;
    const observation = cutWindow(file.rounds(from, to), { kind, from, to, beatMs, minRequests });
    const expected = target.version === undefined ? undefined : { versions: [target.version] };
    return { observation, verdict: judge({ observation, baseline, bounds, expected }) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Writes an observation with its verdict, as a baseline for later ones; an existing file is replaced whole. */
export async function saveObservation(
  file: string,
  { target, observation, verdict }: Omit<SavedObservation, 'format'>,
): Promise<void> {
  const saved: SavedObservation = { format: 2, target, verdict, observation };
  try {
    await writeWhole(file, `${JSON.stringify(saved)}\n`, READABLE);
  } catch (cause) {
    throw new PreconditionError(`the observation cannot be saved: ${messageOf(cause)}`, { file }, { cause });
  }
}

/**
 * Reads what {@link saveObservation} wrote. @throws PreconditionError when it is something else, of another target, or was not
 * judged a pass: with what was bad or unknown itself, nothing can be compared
 */
export async function readObservation(file: string, target: string): Promise<Observation> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new PreconditionError(`the baseline ${file} cannot be read: ${messageOf(cause)}`, { file }, { cause });
  }
  const saved = SavedObservation.safeParse(raw);
  if (!saved.success) {
    const reason = `${file} is no baseline that observe --save of this build wrote; make one with --save`;
    throw new PreconditionError(reason, { file });
  }
  const { observation, verdict } = saved.data;
  if (saved.data.target !== target) {
    throw new PreconditionError(`the baseline ${file} is of ${saved.data.target}, not of ${target}`, { file });
  }
  if (verdict === 'pass') return observation;
  const reason = `the baseline ${file} was itself judged ${verdict}: nothing can be compared with it; make one that passes with --save`;
  throw new PreconditionError(reason, { file, verdict });
}
