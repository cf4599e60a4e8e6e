import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, type Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { decide, queryStatus } from '../../src/client.js';
import { ROLLOUT_WORKFLOW } from '../../src/contract/names.js';
import type { DecisionPayload } from '../../src/core/decision.js';
import type { ApprovalPolicy } from '../../src/core/input/input.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { RequestError } from '../../src/core/request-error.js';
import { AuthorizedServer } from '../helpers/authorized-server.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { rolloutText, targetText } from '../helpers/rollout-input.js';
import { Script, scriptedActivities } from '../helpers/scripted-activities.js';
import { bundleWorkflows } from '../helpers/workflow-bundle.js';

/**
 * Who decides is proved by a control plane with an authorizer: the people of this file have tokens that the server checks. The
 * clusters alone are scripted, as nothing here depends on them.
 */
const SCHEMA = 'live/1.31.2/schema';
const PERMISSIONS = ['default:write', 'temporal-system:read'];
let folder: string;
let server: AuthorizedServer;
let worker: Worker;
let working: Promise<void>;
let native: NativeConnection;
const connections: Connection[] = [];
const scripts = new Map<string, Script>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'principals-'));
  server = await AuthorizedServer.start(folder, '1.31.2');
  const metadata = server.metadataOf('the-worker', 'default:worker', 'default:write', 'temporal-system:admin');
  native = await NativeConnection.connect({ address: server.address, metadata });
  worker = await Worker.create({
    connection: native,
    taskQueue: 'rollouts',
    workflowBundle: await bundleWorkflows(),
    activities: scriptedActivities((rolloutId) => scripts.get(rolloutId) ?? new Script(LIVE_ALONE)),
  });
  working = worker.run();
}, 300_000);

afterAll(async () => {
  worker?.shutdown();
  await working;
  await native?.close();
  for (const connection of connections) await connection.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a person, known to the server by a token, does; what their client claims is another thing. */
async function as(person: string, identity = `${person}@laptop`): Promise<Client> {
  const connection = await server.connect(person, ...PERMISSIONS);
  connections.push(connection);
  return new Client({ connection, identity });
}

async function start(client: Client, name: string, live: Partial<ApprovalPolicy>): Promise<string> {
  const workflowId = `upgrade-${name}`;
  scripts.set(workflowId, new Script(LIVE_ALONE));
  const policy = {
    watchLive: 0,
    gates: { live: ['schema'] },
    approval: { live },
    settle: { atLeast: 20, reason: 'a test', proofTimeout: 1_000 },
    observation: { window: 10 },
  };
  const input = { ...rolloutText(), staging: targetText(`${name}-staging`), live: targetText(name), policy };
  await client.workflow.start(ROLLOUT_WORKFLOW, {
    workflowId,
    taskQueue: 'rollouts',
    args: [{ ...input, dataDir: folder }],
  });
  return workflowId;
}

async function atGate(client: Client, workflowId: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
    const { waiting } = await queryStatus(client, workflowId);
    if (waiting?.for === 'decision' && waiting.name === SCHEMA) return;
  }
  throw new Error(`${workflowId} never came to ${SCHEMA}`);
}

const approve = (client: Client, workflowId: string, payload: DecisionPayload = { gate: SCHEMA }) =>
  decide(client, workflowId, 'approve', payload);

test('a gate that asks for a proof is passed by whom the server knows, whatever their client claims', async () => {
  const [ada, ben, eve] = [await as('ada'), await as('ben', 'ada@laptop'), await as('eve', 'ben')];
  const workflowId = await start(ada, 'proved', {
    identity: 'proved',
    approvers: ['ada', 'ben'],
    starterMayApprove: false,
  });
  await atGate(ada, workflowId);
  const refusals: readonly (readonly [Client, DecisionPayload, RegExp])[] = [
    [ada, { gate: SCHEMA }, /^ada started this roll-out/],
    [eve, { gate: SCHEMA }, /^eve is not among/],
    [eve, { gate: SCHEMA, by: 'ben' }, /says it is by ben, but its principal is eve/],
  ];
  for (const [client, payload, why] of refusals) {
    const refused = approve(client, workflowId, payload);
    await expect(refused).rejects.toThrow(RequestError);
    await expect(refused).rejects.toThrow(why);
  }
  // The event of an update carries the principal of the worker that accepted it.
  const update = ben.workflow.getHandle(workflowId).executeUpdate('approve', { args: [{ gate: SCHEMA }] });
  await expect(update).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/has no principal.*send a signal/) },
  });

  expect(await approve(ben, workflowId)).toBe('approve taken');
  const result = (await ada.workflow.getHandle(workflowId).result()) as RolloutResult;
  expect(result.status).toBe('completed');
  expect(result.decisions.map(({ via, who, counted }) => [via, who?.name, who?.grade, counted])).toEqual([
    ['signal', 'ada', 'proved', false],
    ['signal', 'eve', 'proved', false],
    ['signal', 'eve', 'proved', false],
    ['update', 'ada@laptop', 'claimed', false],
    ['signal', 'ben', 'proved', true],
  ]);
  expect(result.findings.map(({ id }) => id)).not.toContain('no-principal');
}, 180_000);

test('signals that come while the workflow is busy keep their senders', async () => {
  const [ada, ben] = [await as('ada'), await as('ben')];
  const workflowId = await start(ada, 'busy', { identity: 'proved', count: 2 });
  await atGate(ada, workflowId);
  // All at once: most are buffered behind a workflow task, and written into the history by the worker.
  const senders = [ada, ben, ada, ben, ada, ben, ada, ben];
  await Promise.all(
    senders.map((client, index) => client.workflow.getHandle(workflowId).signal('approve', { gate: `no/${index}` })),
  );
  await Promise.all(
    [ada, ben].map((client) => client.workflow.getHandle(workflowId).signal('approve', { gate: SCHEMA })),
  );
  const { decisions, status } = (await ada.workflow.getHandle(workflowId).result()) as RolloutResult;
  expect(status).toBe('completed');
  const whoOf = (gate: string) => decisions.find((one) => one.gate === gate)?.who;
  for (const [index] of senders.entries())
    expect(whoOf(`no/${index}`)).toEqual({ name: index % 2 === 0 ? 'ada' : 'ben', grade: 'proved' });
  const counted = decisions.filter((one) => one.counted);
  expect(new Set(counted.map(({ who }) => who?.name))).toEqual(new Set(['ada', 'ben']));
}, 180_000);

test('the record of decisions is what the history has', async () => {
  const [ada, ben] = [await as('ada'), await as('ben')];
  const workflowId = await start(ada, 'audit', { identity: 'proved' });
  await atGate(ada, workflowId);
  await ben.workflow.getHandle(workflowId).signal('pause', { reason: 'lunch' });
  await ada.workflow.getHandle(workflowId).signal('resume', { by: 'ada' });
  await approve(ben, workflowId, { gate: SCHEMA, reason: 'looks well' });
  const handle = ada.workflow.getHandle(workflowId);
  const { decisions } = (await handle.result()) as RolloutResult;
  const audited: unknown[] = [];
  for await (const { workflowId: id, runId } of ada.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    const { events = [] } = await ada.workflow.getHandle(id, runId).fetchHistory();
    for (const { workflowExecutionSignaledEventAttributes: signal, principal } of events ?? []) {
      if (signal) audited.push([signal.signalName, signal.identity, principal?.name]);
    }
  }
  const recorded = decisions.map(({ kind, identity }) => [kind, identity?.claimed, identity?.proved]);
  expect(recorded).toEqual([
    ['pause', 'ben@laptop', 'ben'],
    ['resume', 'ada@laptop', 'ada'],
    ['approve', 'ben@laptop', 'ben'],
  ]);
  const sorted = (records: readonly unknown[]) => records.map((one) => JSON.stringify(one)).toSorted();
  expect(sorted(audited)).toEqual(sorted(recorded));
}, 180_000);
