import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { listProcesses } from '../../src/adapters/process/linux-process.js';
import { ControlPlane } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { judged, Script } from '../helpers/scripted-activities.js';
import { WebhookReceiver } from '../helpers/webhook-receiver.js';

let controlPlane: ControlPlane;
let receiver: WebhookReceiver;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane.stop());
beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});
afterEach(() => receiver.stop());

const SCHEMA = 'live/1.31.2/schema';
const policy = (channel: object = {}, more: object = {}) => ({
  gates: { live: ['schema' as const] },
  notices: { channels: [{ type: 'webhook' as const, url: receiver.url, ...channel }], ...more },
});

/** The messages, once there are so many. */
async function messages(count: number) {
  for (const deadline = Date.now() + 20_000; receiver.received.length < count; await sleep(50))
    if (Date.now() > deadline) throw new Error(`never ${count} messages: ${JSON.stringify(receiver.messages)}`);
  return receiver.messages;
}

test('people are told of a gate, of an incident, and of the end, each with what answers it', async () => {
  const script = new Script(LIVE_ALONE).once('observe', judged('fail', 'too bad'));
  const run = await controlPlane.begin({ script, policy: policy() });
  const { name } = await run.atIncident('live/1.31.2/baseline');
  await messages(1);
  await run.signal('retry', { gate: name, by: 'ada' });
  await run.atGate(SCHEMA);
  await messages(2);
  await run.approve(SCHEMA);
  await run.result();
  const told = await messages(3);
  const about = { rolloutId: run.workflowId, cluster: run.name };
  const hop = { ...about, from: '1.30.7', to: '1.31.2' };
  expect(told).toMatchObject([
    { ...hop, kind: 'incident', gate: name, command: expect.stringContaining(`--workflow-id ${run.workflowId}`) },
    { ...hop, kind: 'gate', gate: SCHEMA, command: expect.stringContaining('--name approve') },
    { ...about, kind: 'completed', evidence: expect.arrayContaining(['1 hops, 1 incidents']) },
  ]);
  expect(told[0]?.['evidence']).toContain('fail: error-ratio: too bad');
  expect(new Set(told.map(({ id }) => id)).size).toBe(3);
});

test('people are told that it was aborted, and why', async () => {
  const run = await controlPlane.begin({ policy: policy({ about: ['aborted', 'completed'] }) });
  await run.atGate(SCHEMA);
  await run.signal('abort', { by: 'ada', reason: 'not this week' });
  expect(await run.result()).toMatchObject({ status: 'aborted' });
  expect(await messages(1)).toMatchObject([
    { kind: 'aborted', cluster: run.name, evidence: expect.arrayContaining(['reason: not this week']) },
  ]);
});

test('the command of a notice is the one that counts there by the policy', async () => {
  const approval = { live: { identity: 'claimed' as const, reasonRequired: true } };
  const run = await controlPlane.begin({ policy: { ...policy({ about: ['gate'] }), approval } });
  await run.atGate(SCHEMA);
  const [{ command } = {}] = await messages(1);
  expect(command).toContain(`--input '{"gate":"${SCHEMA}","reason":"<why>"}'`);
  await run.terminate();
});

test('a gate that stays open is told again, and not after it was passed', async () => {
  const run = await controlPlane.begin({ policy: policy({ about: ['reminder'] }, { remind: 300 }) });
  await run.atGate(SCHEMA);
  expect(await messages(2)).toMatchObject([
    { kind: 'reminder', gate: SCHEMA },
    { kind: 'reminder', gate: SCHEMA },
  ]);
  await run.approve(SCHEMA);
  await run.result();
  const { length } = receiver.received;
  await sleep(700);
  expect(receiver.received.length).toBe(length);
});

test('a channel that takes nothing holds nothing up, and gets it later', async () => {
  receiver.status = 503;
  const run = await controlPlane.begin({ policy: policy({ about: ['gate'] }) });
  await run.approve(SCHEMA);
  expect(await run.result()).toMatchObject({ status: 'completed' });
  const before = (await messages(1)).length;
  receiver.status = 200;
  // The roll-out is over; what it had to tell is tried again all the same.
  const told = await messages(before + 1);
  expect(new Set(told.map(({ id }) => id)).size).toBe(1);
}, 60_000);

test('no secret of a channel is in a history, in why it failed, or in a list of processes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'notice-secrets-'));
  const secrets = { url: receiver.url, key: 'k3y-of-the-hook', password: 'pa55word-of-mail', token: 't0ken-of-pager' };
  const file = (name: keyof typeof secrets) => ({ file: join(folder, name) });
  for (const [name, secret] of Object.entries(secrets)) await writeFile(join(folder, name), secret);
  // All of them fail, and the command says what it should not.
  receiver.status = 503;
  const mail = { host: '127.0.0.1', port: 1, user: 'ada', from: 'a@example.com', to: ['b@example.com'] };
  const command = ['sh', '-c', 'sleep 0.3; echo "no $TOKEN" >&2; exit 3'];
  const channels = [
    { type: 'webhook' as const, url: file('url'), key: file('key') },
    { type: 'email' as const, ...mail, password: file('password') },
    { type: 'command' as const, command, environment: { TOKEN: file('token') } },
  ];
  const processes = new Set<string>();
  const looking = setInterval(() => {
    void listProcesses().then((all) => all.forEach(({ argv }) => processes.add(argv.join(' '))));
  }, 50);
  try {
    const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] }, notices: { channels } } });
    await run.atGate(SCHEMA);
    const id = await noticeOf(run.workflowId);
    const notice = controlPlane.client.workflow.getHandle(id);
    const failed = async () => {
      const { raw } = await notice.describe();
      return (raw.pendingActivities ?? []).filter(({ lastFailure }) => lastFailure).length === 3 ? raw : undefined;
    };
    let described = await failed();
    while (described === undefined) {
      await sleep(100);
      described = await failed();
    }
    const { History } = temporal.api.history.v1;
    const { DescribeWorkflowExecutionResponse } = temporal.api.workflowservice.v1;
    const histories = [...(await run.histories()).map(({ history }) => history), await notice.fetchHistory()];
    const texts = [
      ...histories.map((history) => Buffer.from(History.encode(history).finish()).toString('latin1')),
      Buffer.from(DescribeWorkflowExecutionResponse.encode(described).finish()).toString('latin1'),
      [...processes].join('\n'),
    ];
    // What is looked at is what it should be.
    expect(texts.at(-2)).toContain('no ***');
    expect(texts.at(-1)).toContain('sleep 0.3');
    for (const secret of [...Object.values(secrets), 'a-secret-path'])
      for (const text of texts) expect(text.includes(secret)).toBe(false);
    await notice.terminate();
    await run.terminate();
  } finally {
    clearInterval(looking);
    await rm(folder, { recursive: true, force: true });
  }
});

/** The notice that a roll-out has started, once it has. */
async function noticeOf(workflowId: string): Promise<string> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
    const query = `WorkflowType = "notice" AND ExecutionStatus = "Running"`;
    for await (const { workflowId: id } of controlPlane.client.workflow.list({ query }))
      if (id.startsWith(`${workflowId}-notice-`)) return id;
  }
  throw new Error(`no notice of ${workflowId}`);
}

test('without channels there is nothing of it in the history', async () => {
  const run = await controlPlane.begin({ policy: { gates: { live: ['schema'] }, notices: { remind: '1s' } } });
  await run.approve(SCHEMA);
  await run.result();
  const events = (await run.histories()).flatMap(({ history }) => history.events ?? []);
  const children = events.filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes);
  expect(
    children.map((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name),
  ).not.toContain('notice');
});
