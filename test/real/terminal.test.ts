import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { judged, Script } from '../helpers/scripted-activities.js';
import { Terminal } from '../helpers/terminal.js';

/** The command line in a real terminal of 80 columns. The clusters are scripted, as nothing here depends on them. */
const BIN = fileURLToPath(new URL('../../bin/temporal-upgrade', import.meta.url));
const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const POLICY = { gates: { live: ['schema' as const, 'servers' as const] } };
let controlPlane: ControlPlane;
const terminals: Terminal[] = [];

beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane?.stop());
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.stop();
});

async function onTerminal(...args: readonly string[]): Promise<Terminal> {
  const { address } = controlPlane;
  const terminal = await Terminal.start([BIN, ...args], { env: { TEMPORAL_ADDRESS: address, NO_COLOR: '1' } });
  terminals.push(terminal);
  return terminal;
}

const watch = (run: RunningRollout) => onTerminal('watch', run.workflowId, '--interval', '0.5');

test('watch shows a gate with what it rests on, goes on when it is passed, and ends with the report', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  const terminal = await watch(run);
  const gate = await terminal.until(`GATE    ${SCHEMA}`);
  expect(gate).toContain('approve   go on with the step that the gate is named after');
  expect(gate).toContain(`temporal-upgrade approve ${run.workflowId} --gate ${SCHEMA}`);
  expect(gate).toContain('seen    baseline: pass');
  await run.approve(SCHEMA);
  // The screen is drawn anew: nothing is left of the gate before.
  expect(await terminal.until(`GATE    ${SERVERS}`)).not.toContain(`GATE    ${SCHEMA}`);
  await run.approve(SERVERS);
  const end = await terminal.until('[ended 0]');
  expect(end).toContain('## Decisions');
}, 180_000);

test('watch shows an incident with the problem, and ends with another code when the roll-out was aborted', async () => {
  const script = new Script(LIVE_ALONE).once('observe', judged('fail', 'too bad'));
  const run = await controlPlane.begin({ script, policy: POLICY });
  const terminal = await watch(run);
  const incident = await terminal.until('INCIDENT');
  expect(incident).toContain('fail: error-ratio: too bad');
  expect(incident).toContain('retry     do the phase again');
  await run.signal('abort', { by: 'ada', reason: 'enough' });
  await terminal.until('[ended 3]');
}, 180_000);

test('approve without a gate shows the open one, asks, and sends what was said', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  await run.atGate(SCHEMA);
  const refused = await onTerminal('approve', run.workflowId);
  expect(await refused.until(`approve ${SCHEMA}? (yes or no)`)).toContain(`GATE    ${SCHEMA}`);
  await refused.type('no');
  expect(await refused.until('[ended 2]')).toContain('error: nothing was sent');
  expect((await run.status()).decisions).toEqual([]);

  const approved = await onTerminal('approve', run.workflowId, '--by', 'ada');
  await approved.until(`approve ${SCHEMA}? (yes or no)`);
  await approved.type('yes');
  expect(await approved.until('[ended 0]')).toContain('approve taken');
  await run.atGate(SERVERS);
  expect((await run.status()).decisions).toMatchObject([{ kind: 'approve', gate: SCHEMA, by: 'ada', counted: true }]);
  await run.terminate();
}, 180_000);

test('what needs a reason asks for it', async () => {
  const script = new Script(LIVE_ALONE).once('observe', judged('fail', 'too bad'));
  const run = await controlPlane.begin({ script, policy: POLICY });
  const { name } = await run.atIncident('live/1.31.2/baseline');
  const terminal = await onTerminal('approve', run.workflowId, '--by', 'ada');
  await terminal.until(`approve ${name}? (yes or no)`);
  await terminal.type('y');
  await terminal.until('reason:');
  await terminal.type('a known noise');
  await terminal.until('[ended 0]');
  await run.atGate(SCHEMA);
  expect((await run.status()).decisions).toMatchObject([{ gate: name, by: 'ada', reason: 'a known noise' }]);
  await run.terminate();
}, 180_000);
