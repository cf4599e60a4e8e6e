import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { LoadPolicy } from '../../src/core/input/input.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { RolloutStatus } from '../../src/core/status.js';
import {
  FROM,
  SCHEMA,
  SHORT_POLICY,
  startTestLab,
  startWorkflow,
  stateOf,
  statusNow,
  TO,
  until,
  waitForStatus,
} from '../helpers/rollout-lab.js';

/**
 * Under load, a workflow is damaged after the servers of staging were replaced: found in the histories, and undone by going back to the
 * backups of the hop. Over this hop the servers alone cannot go back: 1.29.1 is below the floor of 1.29.
 */
let lab: Awaited<ReturnType<typeof startTestLab>>;
let workflowId: string;
let staging: Client;
let damaged: string;
const HOP = `staging/${TO}`;
const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 5 };

beforeAll(async () => {
  lab = await startTestLab();
  await lab.startWorker();
  const connection = await Connection.connect({ address: lab.staging.frontends[0] ?? '' });
  const { namespace } = LoadPolicy.parse({});
  staging = new Client({ connection, namespace });
  const policy = { ...SHORT_POLICY, load: { staging: LOAD } };
  workflowId = await startWorkflow(lab, lab.input('1.30', { pins: { '1.29': FROM, '1.30': TO }, policy }));
}, 600_000);

afterAll(async () => {
  await staging?.connection.close();
  await lab?.remove();
}, 120_000);

const decide = (kind: 'approve' | 'rollBack' | 'restore' | 'abort', gate?: string) =>
  lab.client.workflow.getHandle(workflowId).executeUpdate(kind, { args: [{ gate, by: 'test', reason: 'test' }] });
const gateOf = (status: RolloutStatus | undefined) =>
  status?.waiting?.for === 'decision' ? status.waiting : undefined;
/** The gate whose name begins with one of these. */
const atGate = (...begins: readonly string[]) =>
  until(async () => {
    const gate = gateOf(await statusNow(lab, workflowId));
    return begins.some((begin) => gate?.name.startsWith(begin) === true) ? gate : undefined;
  });

test('a workflow that was terminated behind the back of the ledger is found, and only the backups can go back', async () => {
  await waitForStatus(
    lab,
    workflowId,
    ({ current }) => current?.environment === 'staging' && current.phase === 'settle',
  );
  for await (const { workflowId: id } of staging.workflow.list({ query: `ExecutionStatus = 'Running'` })) {
    if (id.includes('-long-')) damaged = id;
  }
  await staging.workflow.getHandle(damaged).terminate('by the test');

  // The observation after the settle finds it, or else the verification.
  const incident = await atGate(`${HOP}/observe-servers/incident/`, `${HOP}/verify/incident/`);
  expect(incident.allowed).toEqual(['approve', 'retry', 'abort', 'restore']);
  expect(incident.evidence.join('\n')).toContain(damaged);
  const refused = await decide('rollBack', incident.name).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    cause: { message: expect.stringContaining(`the servers alone cannot go back: ${FROM} is not known to bear`) },
  });
}, 400_000);

test('what a restore loses is said before it, and undone is what came after the backup', async () => {
  const incident = await atGate(`${HOP}/observe-servers/incident/`, `${HOP}/verify/incident/`);
  await decide('restore', incident.name);
  const gate = await atGate(`${HOP}/restore`);
  expect(gate).toMatchObject({ kind: 'approval', allowed: ['approve', 'reject', 'abort'] });
  const evidence = gate.evidence.join('\n');
  expect(evidence).toMatch(/everything since 20\S+Z would be undone/);
  expect(evidence).toMatch(/canaries of the load: [1-9]\d* started since/);
  await decide('approve', gate.name);

  await atGate(`${HOP}/restored/incident/`);
  const { schema, nodes } = await stateOf(lab.staging);
  expect(schema).toEqual(SCHEMA.before);
  expect(nodes.map(({ version, running }) => ({ version, running }))).toEqual(
    nodes.map(() => ({ version: FROM, running: true })),
  );
  const { hops = [] } = (await statusNow(lab, workflowId)) ?? {};
  expect(hops).toMatchObject([{ environment: 'staging', outcome: 'restored', servers: FROM }]);
  const last = (phase: string) => hops[0]?.phases.findLast((one) => one.phase === phase)?.summary;
  expect(last('restore')).toMatch(/what was there is kept \(default: database staging_before_restore_\d+/);
  expect(last('settle')).toContain('8 shards, each owned once');
  expect(last('verify')).toMatch(/ 0 lost, .* [1-9]\d* lost by the restore/);
}, 400_000);

test('the damaged workflow ends as it should, and so does every other one that is left', async () => {
  expect(await staging.workflow.getHandle(damaged).result()).toBeDefined();
  await decide('abort');
  const result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
  expect(result).toMatchObject({ status: 'aborted', staging: { to: FROM } });
  expect(result.ledgers.staging).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failed: 0 });
  expect(result.ledgers.staging?.undone).toBeGreaterThan(0);
}, 200_000);
