import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { reportOf, resultSoFar } from '../../src/client.js';
import type { ReportData, TargetEvidence } from '../../src/core/evidence.js';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE, ONE_HOP } from '../helpers/plans.js';
import { Script } from '../helpers/scripted-activities.js';

let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());

const SCHEMA = 'live/1.31.2/schema';
const AT_SCHEMA = { gates: { live: ['schema' as const] } };

const evidence = (more: Partial<TargetEvidence> = {}): TargetEvidence => ({
  environment: 'live',
  target: 'live',
  commands: [],
  windows: [],
  spans: [],
  shards: [],
  notes: [],
  ...more,
});

async function eventsOf(run: RunningRollout): Promise<number> {
  return (await run.latest.fetchHistory()).events?.length ?? 0;
}

async function writtenReport({ reportDir = '' }: { readonly reportDir?: string | undefined }): Promise<ReportData> {
  return JSON.parse(await readFile(join(reportDir, 'report.json'), 'utf8')) as ReportData;
}

test.concurrent('one that is under way tells its phases so far, and asking leaves nothing in its history', async () => {
  const run = await controlPlane.begin({ policy: AT_SCHEMA });
  await run.atGate(SCHEMA);
  const before = await eventsOf(run);
  const { rollout, evidence: gathered } = await reportOf(controlPlane.client, run.workflowId);
  expect(rollout).toMatchObject({ rolloutId: run.workflowId, status: 'waiting', hops: [] });
  expect(rollout.phases?.map(({ phase }) => phase)).toEqual(['preflight', 'baseline', 'backup']);
  for (const { startedAt } of rollout.phases ?? []) expect(Date.parse(startedAt ?? '')).toBeGreaterThan(0);
  // What was shown of the hop that is under way is of that time.
  expect(gathered.map(({ environment, spans }) => [environment, spans.map(({ what }) => what)])).toEqual([
    ['staging', []],
    ['live', ['1.30.7 → 1.31.2']],
  ]);
  expect(await eventsOf(run)).toBe(before);
  await run.terminate();
});

test.concurrent('of one that is over it is what was written at its end', async () => {
  const run = await controlPlane.begin({ plan: ONE_HOP });
  const { reportDir, ...result } = await run.result();
  const { rollout, earlier } = await reportOf(controlPlane.client, run.workflowId);
  expect(rollout).toEqual({ ...result, reportDir });
  expect((await writtenReport({ reportDir })).rollout).toEqual(result);
  // By what rules, along which path, and how its backups are kept.
  expect(result.policy).toContainEqual({ field: 'policy.observation.window', value: '10ms', byDefault: '3m' });
  expect(result.live.path).toEqual(['1.30.7', '1.31.2']);
  expect(result.hops.flatMap(({ backups }) => backups.map(({ kept }) => kept))).toContain('not encrypted');
  // Others of this file have gone the same way.
  for (const { from, to, rolloutId } of earlier)
    expect([from, to, rolloutId === run.workflowId]).toEqual(['1.30.7', '1.31.2', false]);
  expect(await resultSoFar(controlPlane.client, run.workflowId)).toEqual(rollout);
});

test.concurrent('a target whose evidence cannot be had is told of, and holds up no end', async () => {
  const script = new Script(LIVE_ALONE)
    .fails('gatherEvidence', 'the disk is gone')
    .fails('gatherEvidence', 'so is this');
  const run = await controlPlane.begin({ script });
  const result = await run.result();
  expect(result.status).toBe('completed');
  const { evidence: gathered } = await writtenReport(result);
  expect(gathered.flatMap(({ notes }) => notes).sort()).toEqual([
    'no evidence: so is this',
    'no evidence: the disk is gone',
  ]);
});

test.concurrent('evidence that is too much for a message is left out, and ends no roll-out', async () => {
  const much = evidence({ notes: ['x'.repeat(900_000)] });
  const script = new Script(LIVE_ALONE).always('gatherEvidence', () => Promise.resolve(much));
  const run = await controlPlane.begin({ script });
  const result = await run.result();
  expect(result.status).toBe('completed');
  const { rollout, evidence: gathered } = await writtenReport(result);
  expect(rollout.hops).toHaveLength(1);
  for (const { notes } of gathered) expect(notes).toEqual([expect.stringContaining('too much for one message')]);
});

test.concurrent('before the targets were looked at there is nothing to report yet', async () => {
  const script = new Script(LIVE_ALONE);
  const inspecting = script.holds('inspectTarget');
  const run = await controlPlane.begin({ script });
  await inspecting.begun;
  await expect(reportOf(controlPlane.client, run.workflowId)).rejects.toThrow(
    /nothing to report of .* yet; "temporal-upgrade status/,
  );
  inspecting.release();
  await run.result();
});

test.concurrent('of one that is not there it is said so', async () => {
  await expect(reportOf(controlPlane.client, 'upgrade-nobody')).rejects.toThrow(
    /there is no roll-out upgrade-nobody here/,
  );
});
