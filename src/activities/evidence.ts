import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { z } from 'zod';
import { readJournal } from '../adapters/command-journal.js';
import { MeterFile } from '../adapters/meter/meter-file.js';
import { listIfThere, readIfThere, readRecords } from '../adapters/record-file.js';
import type { EvidenceRequest, MeterRequest, TargetActivities } from '../contract/activities.js';
import { messageOf } from '../core/errors.js';
import type { CommandRecord, ObservedWindow, Span, SpanEvidence, TargetEvidence } from '../core/evidence.js';
import { trafficOf, type TrafficPoint } from '../core/measuring/traffic.js';
import { shardHistory, type ShardHistory } from '../core/settling/shard-history.js';
import { readWatchLine } from '../core/settling/watch-line.js';
import { ProbeStore } from '../load/probe/probe-store.js';
import { ledgerFileOf } from './load.js';
import { meterFileOf } from './meter.js';
import { recordFiles } from './records.js';
import { SHARD_WATCH } from './snapshot-files.js';

/**
 * Of one target. It goes through a history, where a message that has more than 2 MB ends the roll-out that sends it
 * (BlobSizeLimitError of the server), and that of the report has both targets and the result.
 */
const MOST_BYTES = 300_000;
const MOST_COMMANDS = 400;
const LONGEST_LINE = 500;
const MOST_WINDOWS = 80;
const MOST_SPANS = 16;
const POINTS = 120;
const MOST_LOOKS = 60;
const MOST_SETTLES = 16;
/** The probe writes every five seconds: a shorter piece would often have nothing. */
const SHORTEST_STEP_MS = 10_000;
/** Before a piece, for what its first sample is held against. */
const LEAD_BEATS = 3;

/** What the observe activity wrote; its checks are shown as they are. */
const WindowLine = z.object({
  what: z.string(),
  kind: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  verdict: z.string(),
  summary: z.string(),
  checks: z.array(z.looseObject({ id: z.string() })),
});

/** The activity that reads what was written down about a target. */
export const createEvidenceActivities = (): Pick<TargetActivities, 'gatherEvidence'> => ({
  async gatherEvidence(request) {
    const notes: string[] = [];
    const attempt = async <T>(what: string, read: () => Promise<readonly T[]>): Promise<readonly T[]> => {
      try {
        return await read();
      } catch (error) {
        notes.push(`${what}: ${messageOf(error)}`);
        return [];
      }
    };
    const files = recordFiles(request);
    const commands = await attempt('commands', async () => (await readJournal(files.commands)).map(shortened));
    const windows = await attempt('windows', () => readWindows(files.windows));
    const shards = await attempt('shards', () => readShardHistories(files.directory, request.environment));
    const spans = await attempt('measurements', () => readSpans(last(request.spans, MOST_SPANS), request, notes));
    for (const [what, all, most] of [
      ['commands', commands, MOST_COMMANDS],
      ['windows', windows, MOST_WINDOWS],
      ['spans of time', request.spans, MOST_SPANS],
      ['settles', shards, MOST_SETTLES],
    ] as const)
      if (all.length > most) notes.push(`the last ${most} of ${all.length} ${what} are shown`);
    return fitted({
      environment: request.environment,
      target: request.target.name,
      commands: last(commands, MOST_COMMANDS),
      windows: last(windows, MOST_WINDOWS),
      spans,
      shards: last(shards, MOST_SETTLES),
      notes,
    });
  },
});

/** What is left out of evidence that is too much, one after the other until it is not: what is least missed comes first. */
const SHORTENED: readonly (readonly [note: string, shorten: (evidence: TargetEvidence) => Partial<TargetEvidence>])[] =
  [
    [
      'checks of windows that passed, but the last ten',
      ({ windows }) => ({
        windows: windows.map((window, index) =>
          window.verdict === 'pass' && index < windows.length - 10 ? { ...window, checks: [] } : window,
        ),
      }),
    ],
    ['commands but the last hundred', ({ commands }) => ({ commands: last(commands, 100) })],
    ['windows but the last twenty', ({ windows }) => ({ windows: last(windows, 20) })],
    ['measurements but those of the last four spans of time', ({ spans }) => ({ spans: last(spans, 4) })],
    ['all of it', () => ({ commands: [], windows: [], spans: [], shards: [] })],
  ];

function fitted(evidence: TargetEvidence): TargetEvidence {
  let fits = evidence;
  for (const [what, shorten] of SHORTENED) {
    if (Buffer.byteLength(JSON.stringify(fits)) <= MOST_BYTES) break;
    fits = { ...fits, ...shorten(fits), notes: [...fits.notes, `too much to be shown here: ${what}`] };
  }
  return fits;
}

function last<T>(all: readonly T[], most: number): readonly T[] {
  return all.slice(-most);
}

function shortened(command: CommandRecord): CommandRecord {
  const { line } = command;
  return line.length <= LONGEST_LINE ? command : { ...command, line: `${line.slice(0, LONGEST_LINE)}…` };
}

/** One that was judged again after a kill stands there twice: the last one counts. */
async function readWindows(file: string): Promise<ObservedWindow[]> {
  const windows = new Map<string, ObservedWindow>();
  for (const window of await readRecords(file, WindowLine)) {
    // Written by recordWindow alone, in this shape.
    windows.set(`${window.what} ${window.startedAt} ${window.endedAt}`, window as unknown as ObservedWindow);
  }
  return [...windows.values()];
}

async function readShardHistories(directory: string, environment: string): Promise<ShardHistory[]> {
  const names = await listIfThere(directory);
  const watched = names.filter((name) => name.startsWith(`${environment}-`) && name.endsWith(SHARD_WATCH));
  const histories: ShardHistory[] = [];
  for (const name of watched) {
    const text = await readIfThere(join(directory, name));
    const looks = text.split('\n').flatMap((line) => readWatchLine(line) ?? []);
    if (looks.length > 0) histories.push(shardHistory(name.slice(0, -SHARD_WATCH.length), looks, MOST_LOOKS));
  }
  return histories.sort((a, b) => (a.looks[0]?.at ?? 0) - (b.looks[0]?.at ?? 0));
}

async function readSpans(
  spans: readonly Span[],
  { meter, load }: EvidenceRequest,
  notes: string[],
): Promise<SpanEvidence[]> {
  const isSampled = existsSync(meterFileOf(meter));
  if (!isSampled && spans.length > 0) notes.push('no samples: no meter has run here');
  const ledger = load === undefined || load.policy.probesPerSecond === 0 ? undefined : ledgerFileOf(load);
  const probes = ledger !== undefined && existsSync(ledger) ? ledger : undefined;
  const evidence: SpanEvidence[] = [];
  for (const span of spans) {
    const [from, to] = [Date.parse(span.from), Date.parse(span.to)];
    const traffic = isSampled ? await readTraffic(meter, from, to) : [];
    evidence.push({ ...span, traffic, ...readProbe(probes, from, to) });
  }
  return evidence;
}

function readProbe(file: string | undefined, from: number, to: number): Pick<SpanEvidence, 'probe' | 'clients'> {
  if (file === undefined) return { probe: [] };
  using store = new ProbeStore(file);
  const points = store.points({ from, to }, stepOf(from, to));
  return { probe: points.map(rounded), clients: store.window({ from, to }) };
}

/** Piece by piece: the rounds of two days are more than should be in memory at once. */
async function readTraffic(meter: MeterRequest, from: number, to: number): Promise<TrafficPoint[]> {
  const { beatMs } = meter;
  const step = Math.ceil(stepOf(from, to) / beatMs) * beatMs;
  using file = new MeterFile(meterFileOf(meter), meter.target.name);
  const points: TrafficPoint[] = [];
  for (let at = Math.floor(from / beatMs) * beatMs; at < to; at += step) {
    await yieldToOthers();
    const rounds = file.rounds(at - LEAD_BEATS * beatMs, at + step);
    points.push(rounded(trafficOf({ from: at, to: at + step, beatMs, rounds })));
  }
  return points;
}

function stepOf(from: number, to: number): number {
  return Math.max(SHORTEST_STEP_MS, Math.ceil((to - from) / POINTS));
}

/** Four digits are more than can be seen. */
function rounded<Point extends Readonly<Record<keyof Point, number | null>>>(point: Point): Point {
  const entries = Object.entries<number | null>(point).map(([key, value]) => [
    key,
    key === 'at' || value === null ? value : Number(value.toPrecision(4)),
  ]);
  return Object.fromEntries(entries) as Point;
}
