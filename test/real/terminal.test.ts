import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { judged, Script } from '../helpers/scripted-activities.js';
import { startTcpProxy } from '../helpers/tcp-proxy.js';
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

type Place = Parameters<typeof Terminal.start>[1];

/** The command in a terminal, without what jest says to its workers of colours; colours only where its environment is given, without NO_COLOR. */
async function onTerminal(...words: readonly (string | Place)[]): Promise<Terminal> {
  const { env = { NO_COLOR: '1' }, ...place } = words.find((word) => typeof word === 'object') ?? {};
  const args = words.filter((word) => typeof word === 'string');
  const all = { TEMPORAL_ADDRESS: controlPlane.address, ...env };
  const terminal = await Terminal.start(['env', '-u', 'FORCE_COLOR', BIN, ...args], { ...place, env: all });
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
  expect(end).toContain('completed  in ');
  expect(end).toContain('people    2 decisions; 0 incidents');
  expect(end).toContain(`temporal-upgrade report ${run.workflowId} --html report.html`);
}, 180_000);

test('on a terminal of 24 rows the gate and the command that answers are there', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  const terminal = await onTerminal({ rows: 24 }, 'watch', run.workflowId, '--interval', '0.5');
  const gate = await terminal.until(`GATE    ${SCHEMA}`);
  expect(gate).toMatch(new RegExp(`^${run.workflowId}  waiting`));
  expect(gate).toContain('backup of default');
  expect(gate.replaceAll(/\s+\\?\s*/g, ' ')).toContain(`temporal-upgrade approve ${run.workflowId} --gate ${SCHEMA}`);
  await run.terminate();
}, 180_000);

test('gates and incidents have their colours, and none where NO_COLOR says so', async () => {
  const script = new Script(LIVE_ALONE).once('observe', judged('fail', 'too bad'));
  const run = await controlPlane.begin({ script, policy: POLICY });
  const { name } = await run.atIncident('live/1.31.2/baseline');
  const plain = await onTerminal('status', run.workflowId);
  await plain.until('[ended 0]');
  expect(await plain.colours()).not.toContain('\u001b[');
  const coloured = await onTerminal({ env: { NO_COLOR: '' } }, 'status', run.workflowId);
  await coloured.until('[ended 0]');
  const lines = (await coloured.colours()).split('\n');
  // Red.
  const incident = lines.find((line) => line.includes(`INCIDENT    ${name}`));
  expect(incident?.replaceAll('\u001b', 'ESC')).toMatch(/ESC\[[0-9;]*31m/);
  await run.terminate();
}, 180_000);

test('watch waits for a worker that starts anew, and for a control plane that is away, and goes on', async () => {
  const taskQueue = 'restarted';
  let stopWorker = await controlPlane.startWorker(taskQueue);
  const run = await controlPlane.begin({ policy: POLICY, taskQueue });
  await run.atGate(SCHEMA);
  const port = Number(controlPlane.address.split(':')[1]);
  let proxy = await startTcpProxy(port);
  const way = { env: { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` } };
  const terminal = await onTerminal(way, 'watch', run.workflowId, '--interval', '0.5');
  await terminal.until(`GATE    ${SCHEMA}`);

  await stopWorker();
  const late = await terminal.until(/no answer for .*, trying again/);
  expect(late).toContain('is a worker running?');
  // What was seen last stays in sight.
  expect(late).toContain(`GATE    ${SCHEMA}`);
  stopWorker = await controlPlane.startWorker(taskQueue);
  await terminal.until(new RegExp(`^${run.workflowId}  waiting`));

  const { port: way2 } = proxy;
  await proxy.close();
  expect(await terminal.until(/no answer for .*, trying again/)).toContain('the control plane does not answer');
  proxy = await startTcpProxy(port, way2);
  await terminal.until(new RegExp(`^${run.workflowId}  waiting`));
  await run.approve(SCHEMA);
  await run.approve(SERVERS);
  await terminal.until('[ended 0]');
  await proxy.close();
  await stopWorker();
}, 300_000);

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

test('a decision that names its gate shows the evidence first too; --yes sends it at once', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  await run.atGate(SCHEMA);
  const asked = await onTerminal('approve', run.workflowId, '--gate', SCHEMA);
  expect(await asked.until(`approve ${SCHEMA}? (yes or no)`)).toContain('backup of default');
  await asked.type('no');
  await asked.until('[ended 2]');
  expect((await run.status()).decisions).toEqual([]);
  const sent = await onTerminal('approve', run.workflowId, '--gate', SCHEMA, '--by', 'ada', '--yes');
  expect(await sent.until('[ended 0]')).toContain('approve taken');
  await run.atGate(SERVERS);
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
