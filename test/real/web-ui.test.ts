import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { findFreePorts } from '../../src/lab/free-ports.js';
import { ControlPlane, type RunningRollout, type RunSettings } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { isRecheck, judged, Script } from '../helpers/scripted-activities.js';
import { WebUi, WINDOWS } from '../helpers/web-ui.js';

/** The Web UI as the console: people decide at gates in a real browser. The clusters are scripted, as nothing here depends on them. */
const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const POLICY = { gates: { live: ['schema' as const, 'servers' as const] } };
let controlPlane: ControlPlane;
let origin: string;
const open: WebUi[] = [];

beforeAll(async () => {
  const [uiPort = 0] = await findFreePorts(1);
  origin = `http://127.0.0.1:${uiPort}`;
  controlPlane = await ControlPlane.start({ uiPort });
}, 600_000);
afterAll(() => controlPlane?.stop());
afterEach(async () => {
  for (const ui of open.splice(0)) await ui.close();
});

async function look(run: RunningRollout, options: Parameters<typeof WebUi.open>[1] = {}): Promise<WebUi> {
  const ui = await WebUi.open(origin, options);
  open.push(ui);
  const { runId } = await run.latest.describe();
  await ui.workflow(run.workflowId, runId);
  return ui;
}

/** A roll-out that waits at its first gate, and its page. */
async function atFirstGate(settings: RunSettings = {}): Promise<{ readonly run: RunningRollout; readonly ui: WebUi }> {
  const run = await controlPlane.begin({ policy: POLICY, ...settings });
  await run.atGate(SCHEMA);
  return { run, ui: await look(run) };
}

test('a person reads what a gate rests on, and passes it by a signal', async () => {
  const { run, ui } = await atFirstGate();
  const details = await ui.details();
  for (const text of [
    `Waits for a decision: ${SCHEMA}`,
    '1.30.7 → 1.31.2, schema', // behind the name of live
    'backup of default: /backups/default',
    'approve: go on with the step that the gate is named after',
    JSON.stringify({ gate: SCHEMA }),
    `--workflow-id ${run.workflowId} \\`,
  ])
    await details.getByText(text).first().waitFor();
  await ui.sendSignal('approve', { gate: SCHEMA }, () => ui.picture('signal'));
  await run.atGate(SERVERS);
  await (await ui.details()).getByText(`Waits for a decision: ${SERVERS}`).waitFor();
  // From a Web UI without a login the event has no identity.
  expect((await run.status()).decisions).toEqual([
    expect.objectContaining({ kind: 'approve', gate: SCHEMA, via: 'signal', counted: true, identity: {} }),
  ]);
  await run.terminate();
}, 300_000);

test('a gate that is rejected becomes an incident, which a person ends', async () => {
  const { run, ui } = await atFirstGate();
  await ui.sendSignal('reject', { gate: SCHEMA, by: 'ada', reason: 'not before the release' });
  const { name } = await run.atIncident(SCHEMA);
  const incident = await ui.details();
  await incident.getByText(`Incident: ${name}`).waitFor();
  await incident.getByText(`ada rejected ${SCHEMA}: not before the release`).first().waitFor();
  await ui.picture('incident');
  await ui.sendSignal('retry', { gate: name, by: 'ada' });
  await run.atGate(SCHEMA);
  expect((await run.status()).decisions.map(({ kind, counted }) => [kind, counted])).toEqual([
    ['reject', true],
    ['retry', true],
  ]);
  await run.terminate();
}, 300_000);

test('an approval whose evidence has broken is void, and the gate is asked again', async () => {
  const script = new Script(LIVE_ALONE);
  script.always('observe', (request) =>
    judged(isRecheck(request) ? 'fail' : 'pass', isRecheck(request) ? 'history-1 is down' : 'all is well')(request),
  );
  const { run, ui } = await atFirstGate({ script });
  await ui.sendSignal('approve', { gate: SCHEMA, by: 'ada' });
  await run.atGate(`${SCHEMA}/again/2`);
  const details = await ui.details();
  await details.getByText(`Waits for a decision: ${SCHEMA}/again/2`).waitFor();
  await details.getByText('void: the evidence had broken: fail: error-ratio: history-1 is down').waitFor();
  await ui.picture('void');
  expect(script.count('upgradeSchema')).toBe(0);
  await run.terminate();
}, 300_000);

test('an approval of a gate that is not open does not count, and the page says why', async () => {
  const { run, ui } = await atFirstGate();
  await ui.sendSignal('approve', { gate: SERVERS });
  await run.until('told', ({ decisions }) => decisions.length === 1);
  const details = await ui.details();
  await details.getByText(`gate ${SERVERS} is not open; the open one is ${SCHEMA}`).waitFor();
  await run.terminate();
}, 300_000);

test('an update is answered at once: refused with the reason, or counted', async () => {
  const { run, ui } = await atFirstGate();
  const dialog = await ui.sendUpdate('approve', { gate: SERVERS });
  await dialog.getByText(`gate ${SERVERS} is not open; the open one is ${SCHEMA}`, { exact: true }).waitFor();
  await ui.picture('update-refused');
  await ui.reload();
  await (await ui.sendUpdate('approve', { gate: SCHEMA })).waitFor({ state: 'hidden' });
  await run.atGate(SERVERS);
  expect((await run.status()).decisions).toEqual([
    expect.objectContaining({ kind: 'approve', gate: SCHEMA, via: 'update', counted: true, identity: {} }),
  ]);
  await run.terminate();
}, 300_000);

test('signals are listed with what they do and an example', async () => {
  const { run, ui } = await atFirstGate();
  const dialog = await ui.openDialog('signal');
  const options = (await dialog.getByRole('option').allInnerTexts()).join('\n');
  for (const kind of ['approve', 'reject', 'pause', 'resume', 'abort', 'retry', 'rollBack', 'restore'])
    expect(options).toContain(kind);
  expect(options).toContain('{"gate":"live/1.30.7/schema"}');
  await run.terminate();
}, 300_000);

test('the details fit into a wide and a narrow window, light and dark', async () => {
  const run = await controlPlane.begin({ policy: POLICY });
  await run.atGate(SCHEMA);
  for (const window of Object.keys(WINDOWS) as (keyof typeof WINDOWS)[]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const ui = await look(run, { window, colorScheme });
      const details = await ui.details();
      await details.getByText(`Waits for a decision: ${SCHEMA}`).waitFor();
      await ui.picture(`gate-${window}-${colorScheme}`);
      const [needed, given] = await details
        .locator('html')
        .evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth]);
      expect(needed).toBeLessThanOrEqual(given ?? 0);
    }
  }
  await run.terminate();
}, 300_000);
