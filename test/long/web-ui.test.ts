import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { findFreePorts } from '../../src/lab/free-ports.js';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { WebUi } from '../helpers/web-ui.js';

/** The Web UI as the console: people decide at gates in a real browser. The clusters are scripted. */
const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const POLICY = { gates: { live: ['schema' as const, 'servers' as const] } };
let controlPlane: ControlPlane;
let origin: string;
let ui: WebUi;

beforeAll(async () => {
  const [uiPort = 0] = await findFreePorts(1);
  origin = `http://127.0.0.1:${uiPort}`;
  controlPlane = await ControlPlane.start({ uiPort });
}, 600_000);
afterAll(() => controlPlane?.stop());

beforeEach(async () => {
  ui = await WebUi.open(origin);
});
afterEach(() => ui.close());

async function open(run: RunningRollout): Promise<void> {
  const { runId } = await run.latest.describe();
  await ui.workflow(run.workflowId, runId);
}

test('a gate is passed by a signal that is sent by hand', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  await run.atGate(SCHEMA);
  await open(run);
  await ui.sendSignal('approve', JSON.stringify({ gate: SCHEMA }));
  await run.atGate(SERVERS);
  // From a Web UI without a login the event has no identity.
  expect((await run.status()).decisions).toEqual([
    expect.objectContaining({ kind: 'approve', gate: SCHEMA, via: 'signal', counted: true, identity: {} }),
  ]);
  await run.terminate();
}, 300_000);

test('an approval of a gate that is not open does not count, and the roll-out says why', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  await run.atGate(SCHEMA);
  await open(run);
  await ui.sendSignal('approve', JSON.stringify({ gate: SERVERS }));
  await run.until('told', ({ decisions }) => decisions.length === 1);
  const { currentDetails } = await run.metadata();
  expect(currentDetails).toContain(`gate ${SERVERS} is not open; the open one is ${SCHEMA}`);
  await run.terminate();
}, 300_000);

test('signals are listed with what they do and an example', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  await run.atGate(SCHEMA);
  await open(run);
  await ui.openSignals();
  const options = (await ui.page.getByRole('option').allInnerTexts()).join('\n');
  for (const kind of ['approve', 'reject', 'pause', 'resume', 'abort', 'retry', 'rollBack', 'restore'])
    expect(options).toContain(kind);
  expect(options).toContain('{"gate":"live/1.30.7/schema","by":"you"}');
  await run.terminate();
}, 300_000);
