import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createEvidenceActivities } from '../../src/activities/evidence.js';
import { guard } from '../../src/activities/guard.js';
import { ledgerFileOf } from '../../src/activities/load.js';
import { meterFileOf } from '../../src/activities/meter.js';
import { recordFiles, recordWindow } from '../../src/activities/records.js';
import { MeterFile } from '../../src/adapters/meter/meter-file.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { ShardWatchFile } from '../../src/adapters/shard-watch-file.js';
import type { EvidenceRequest } from '../../src/contract/activities.js';
import { lossesOf, type ObservedWindow } from '../../src/core/evidence.js';
import { ProbeStore } from '../../src/load/probe/probe-store.js';
import { ProbeTally } from '../../src/load/probe/probe-tally.js';
import { parseRolloutInput } from '../../src/core/input/input.js';
import { rolloutText } from '../helpers/rollout-input.js';
import { BEAT_MS, FROM, quiet, roundsOf } from '../helpers/rounds.js';
import { result } from '../helpers/statuses.js';

let dataDir: string;
let request: EvidenceRequest;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'evidence-'));
  const { live: target, policy } = parseRolloutInput(rolloutText());
  const place = { target, dataDir, rolloutId: 'upgrade-live', firstRunId: 'first-run' };
  request = {
    ...place,
    environment: 'live',
    meter: { target, dataDir, meterId: 'live', beatMs: BEAT_MS },
    load: { target, environment: 'live', dataDir, loadId: 'live', policy: policy.load.staging },
    spans: [{ what: '1.30.7 → 1.31.2', from: iso(0), to: iso(180_000) }],
  };
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const iso = (offset: number) => new Date(FROM + offset).toISOString();
const gather = (): ReturnType<ReturnType<typeof createEvidenceActivities>['gatherEvidence']> =>
  new MockActivityEnvironment().run(guard(createEvidenceActivities()).gatherEvidence, request);

const window = (more: Partial<ObservedWindow> = {}): ObservedWindow => ({
  what: 'baseline',
  kind: 'baseline',
  startedAt: iso(0),
  endedAt: iso(60_000),
  verdict: 'pass',
  summary: 'pass: 9 checks',
  checks: [{ id: 'error-ratio', verdict: 'pass', value: 0, unit: 'ratio', bound: 0.05, baseline: null, samples: 900 }],
  ...more,
});

test('what activities run and judge for a roll-out is found again', async () => {
  const act = guard({ replaceNode: (_: object) => runCommand('true', ['frontend-1']) }).replaceNode;
  const environment = () => new MockActivityEnvironment({ activityType: 'replaceNode' });
  await environment().run(act, request);
  await environment().run(act, { target: request.target });
  recordWindow(request, window());
  recordWindow(request, window({ summary: 'pass: judged again after a kill' }));
  recordWindow({ target: request.target }, window({ what: 'of no roll-out' }));

  const { commands, windows } = await gather();
  expect(commands).toEqual([expect.objectContaining({ activity: 'replaceNode', line: 'true frontend-1', times: 1 })]);
  expect(windows).toEqual([window({ summary: 'pass: judged again after a kill' })]);
});

test('samples, probe and shards become series, and the losses are counted from them', async () => {
  {
    using samples = new MeterFile(meterFileOf(request.meter), request.target.name);
    for (const round of roundsOf(quiet())) samples.append(round);
    using probe = new ProbeStore(ledgerFileOf(request.load as NonNullable<EvidenceRequest['load']>));
    for (let startedAt = FROM; startedAt < FROM + 180_000; startedAt += 5_000) {
      const tally = new ProbeTally(['frontend']);
      for (let at = startedAt; at < startedAt + 5_000; at += 500)
        tally.succeeded({ kind: 'frontend', way: 'raw', at }, 4);
      if (startedAt === FROM + 60_000)
        tally.failed(
          { kind: 'frontend', way: 'raw', at: startedAt + 1 },
          { code: 'UNAVAILABLE', reason: 'gone', ms: 3 },
        );
      probe.record(tally.interval({ stretch: 's', startedAt, endedAt: startedAt + 5_000 }));
    }
  }
  const { directory } = recordFiles(request);
  const watch = await ShardWatchFile.open(await inFolder(directory, 'live-1.30.7-to-1.31.2-1-shards-watched.jsonl'));
  const row = (owner: string) => ({ shardId: 1, rangeId: '1', owner, updatedAt: iso(0) });
  await watch.add([row('10.0.0.1:7234-1-a')], FROM + 90_000);
  await watch.add([row('10.0.0.2:7234-2-b')], FROM + 95_000);

  const evidence = await gather();
  const [span] = evidence.spans;
  expect(evidence.notes).toEqual([]);
  expect(span?.traffic).toHaveLength(18);
  expect(span?.traffic[5]).toMatchObject({ requestsPerSecond: 6, errorsPerSecond: 0 });
  expect(span?.probe).toHaveLength(18);
  expect(span?.probe[6]).toMatchObject({ perSecond: 2.1, failedAttempts: 1 });
  expect(evidence.shards).toEqual([
    expect.objectContaining({ name: 'live-1.30.7-to-1.31.2-1', owners: ['10.0.0.1:7234', '10.0.0.2:7234'] }),
  ]);

  const losses = lossesOf({ rollout: result(), evidence: [evidence], earlier: [] });
  const none = { lost: 0, failedCalls: 0 };
  expect(losses).toEqual([
    { environment: 'live', canaries: 0, ...none, attempts: 361, failedAttempts: 1, longestGapMs: 500 },
    { environment: 'staging', canaries: 40, ...none, attempts: 0, failedAttempts: 0, longestGapMs: null },
  ]);
});

test('where nothing was written down, the report is told so', async () => {
  expect(await gather()).toEqual({
    environment: 'live',
    target: request.target.name,
    commands: [],
    windows: [],
    shards: [],
    spans: [{ ...request.spans[0], traffic: [], probe: [] }],
    notes: ['no samples: no meter has run here'],
  });
});

test('of a long roll-out the last part is shown, small enough for a history, and it is told what is not', async () => {
  for (let index = 0; index < 300; index += 1)
    recordWindow(
      request,
      window({ what: `look ${index}`, checks: Array.from({ length: 40 }, () => window().checks[0] ?? never()) }),
    );
  const act = guard({
    act: async () => {
      for (let index = 0; index < 450; index += 1) await runCommand('true', [`${index}`.padEnd(2_000, 'x')]);
    },
  }).act as (request: EvidenceRequest) => Promise<void>;
  await new MockActivityEnvironment().run(act, request);
  const evidence = await gather();
  expect(evidence.windows.at(-1)?.what).toBe('look 299');
  expect(evidence.notes).toEqual(
    expect.arrayContaining(['the last 400 of 450 commands are shown', 'the last 80 of 300 windows are shown']),
  );
  expect(evidence.notes.join('\n')).toContain('too much to be shown here: checks of windows that passed');
  expect(JSON.stringify(evidence).length).toBeLessThanOrEqual(300_000);
});

function never(): never {
  throw new TypeError('the window of these tests has a check');
}

async function inFolder(directory: string, name: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  return join(directory, name);
}
