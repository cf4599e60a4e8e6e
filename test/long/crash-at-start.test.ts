import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { isRunning } from '../../src/adapters/process/linux-process.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import {
  atIncident,
  followUntil,
  FROM,
  gateOf,
  LOAD,
  probeBetween,
  SCHEMA_AFTER,
  serverOf,
  startLiveLab,
  TO,
} from '../helpers/live-roll.js';
import { SHORT_POLICY, startWorkflow, stateOf } from '../helpers/rollout-lab.js';

/**
 * Live is rolled under load. The configuration of its second history node is wrong in a way that the old version does not know: what
 * crashes is put back, mended, and tried again. Then the first history node is killed while a frontend is replaced.
 */
let lab: Awaited<ReturnType<typeof startLiveLab>>;
let workflowId: string;
let right: string;
/** When the first server was stopped, in milliseconds since 1970. */
let rolledFrom = 0;
let result: RolloutResult;

beforeAll(async () => {
  lab = await startLiveLab({ frontend: 2, history: 2 });
  right = await readFile(configFile(), 'utf8');
  await writeFile(configFile(), withPasswordCommand(right));
  await lab.startWorker();
  const policy = { ...SHORT_POLICY, load: { staging: LOAD, live: LOAD }, roll: { quiet: '2s', canary: 0 } };
  workflowId = await startWorkflow(lab, lab.input('1.31', { pins: { '1.30': FROM, '1.31': TO }, policy }));
}, 600_000);

afterAll(async () => {
  await lab?.remove();
}, 120_000);

const retry = (gate: string) =>
  lab.client.workflow.getHandle(workflowId).executeUpdate('retry', { args: [{ gate, by: 'test', reason: 'mended' }] });
const versionsNow = async () =>
  Object.fromEntries((await stateOf(lab.live)).nodes.map(({ name, version }) => [name, version]));

function configFile(): string {
  const node = lab.live.nodes.find(({ name }) => name === 'history-2');
  return join(node?.configDir ?? '', `${node?.configEnv ?? ''}.yaml`);
}

/** New in 1.31, which ends at once where the password is still there too (common/config/persistence.go); 1.30 does not read it. */
function withPasswordCommand(text: string): string {
  const config = parse(text) as { persistence: { datastores: { default: { sql: object } } } };
  const { sql } = config.persistence.datastores.default;
  config.persistence.datastores.default.sql = { ...sql, passwordCommand: { command: '/bin/true' } };
  return stringify(config);
}

test('what crashes at its start is put back by itself, and no call failed; the incident says what it wrote', async () => {
  const { waiting, problem } = await followUntil({ lab, workflowId }, atIncident('servers'), {
    see: ({ current }) => {
      if (current?.phase === 'servers') rolledFrom = Date.parse(current.since);
    },
  });
  expect(waiting).toMatchObject({ allowed: ['retry', 'abort', 'rollBack', 'restore'] });
  expect(problem).toContain(`node history-2 did not come up with ${TO}`);
  expect(problem).toContain('passwordCommand and password are mutually exclusive');
  expect(problem).toContain(`It was put back to ${FROM}, which was proved to serve`);
  expect(await versionsNow()).toEqual({
    'matching-1': TO,
    'history-1': TO,
    'history-2': FROM,
    'frontend-1': FROM,
    'frontend-2': FROM,
    'worker-1': FROM,
  });
  const probe = await probeBetween(lab, rolledFrom, Date.now());
  expect(probe).toMatchObject({ failedCalls: 0 });
  expect(probe?.calls).toBeGreaterThan(100);
}, 400_000);

test('mended, it is replaced; a history node that is killed then is told before another process is stopped', async () => {
  await writeFile(configFile(), right);
  const [frontend, other, history] = await Promise.all(
    ['frontend-1', 'frontend-2', 'history-1'].map((name) => serverOf(lab, name)),
  );
  if (frontend === undefined || other === undefined || history === undefined) throw new Error('live does not run');
  await retry(gateOf(await followUntil({ lab, workflowId }, atIncident('servers'))));
  while (await isRunning(frontend)) await sleep(20);
  process.kill(history.pid, 'SIGKILL');

  const { problem, waiting } = await followUntil({ lab, workflowId }, atIncident('servers'));
  expect(problem).toContain('history-1 does not run, and nobody started it anew: frontend-2 was not stopped.');
  expect(waiting).toMatchObject({ allowed: ['retry', 'abort', 'rollBack', 'restore'] });
  expect(await versionsNow()).toEqual({
    'matching-1': TO,
    'history-1': undefined,
    'history-2': TO,
    'frontend-1': TO,
    'frontend-2': FROM,
    'worker-1': FROM,
  });
  expect(await isRunning(other)).toBe(true);
}, 400_000);

test('retry starts it anew before all others, and the roll goes on to its end', async () => {
  await retry(gateOf(await followUntil({ lab, workflowId }, atIncident('servers'))));
  // That calls failed as a process was killed may be too much for the time of the roll: a person has seen it.
  const letPass = [`live/${TO}/observe-roll/incident/`];
  await followUntil({ lab, workflowId }, ({ state }) => state === 'completed', { letPass });
  result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  expect(result).toMatchObject({ status: 'completed', live: { from: FROM, to: TO } });
  const [hop] = result.hops;
  expect(hop).toMatchObject({ environment: 'live', outcome: 'completed', servers: TO });
  expect(hop?.phases.find(({ phase }) => phase === 'servers')?.summary).toMatch(
    new RegExp(`^3 nodes replaced, 3 ran ${TO} already`),
  );
  expect(result.incidents.filter(({ name }) => name.includes('/servers/')).map(({ decision }) => decision)).toEqual([
    'retry',
    'retry',
  ]);
  const { schema, nodes } = await stateOf(lab.live);
  expect(schema).toEqual(SCHEMA_AFTER);
  expect(nodes.map(({ version, running }) => ({ version, running }))).toEqual(
    nodes.map(() => ({ version: TO, running: true })),
  );
}, 600_000);

test('every canary is right, those too that ran as a process crashed and another was killed', async () => {
  expect(result.ledgers.live).toMatchObject({
    running: 0,
    lost: 0,
    duplicated: 0,
    wrong: 0,
    failed: 0,
    failedCalls: 0,
  });
  expect(result.ledgers.live?.completed).toBe(result.ledgers.live?.started);
  expect((await probeBetween(lab, rolledFrom, Date.now()))?.failedCalls).toBe(0);
});
