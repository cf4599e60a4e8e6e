import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import fc from 'fast-check';
import { createControlActivities } from '../../src/activities/control-activities.js';
import { loadCatalogue } from '../../src/adapters/catalogue-file.js';
import type { DecisionKind, DecisionRecord } from '../../src/core/decision.js';
import type { RolloutInputText } from '../../src/core/input/input.js';
import { ControlPlane, type RunningRollout } from '../helpers/control-plane.js';
import { LIVE_ALONE } from '../helpers/plans.js';
import { Script } from '../helpers/scripted-activities.js';

/** Who decided what, when and on what can be proved later: records, report and history are held against each other. */
let controlPlane: ControlPlane;
beforeAll(async () => {
  controlPlane = await ControlPlane.start();
}, 600_000);
afterAll(() => controlPlane?.stop());

const SCHEMA = 'live/1.31.2/schema';
const SERVERS = 'live/1.31.2/servers';
const GATES = { gates: { live: ['schema' as const, 'servers' as const] } };
type Approval = NonNullable<NonNullable<NonNullable<RolloutInputText['policy']>['approval']>['live']>;

/** What people sent, as the histories of all runs have it, in their order. */
async function sentOf(run: RunningRollout) {
  return (await run.histories()).flatMap(({ runId, history }) =>
    (history.events ?? []).flatMap((event) => {
      const signal = event.workflowExecutionSignaledEventAttributes;
      const request = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
      const name = signal?.signalName ?? request?.input?.name;
      if (name === undefined || name === null) return [];
      const [payload] = (signal?.input ?? request?.input?.args)?.payloads ?? [];
      const { seconds, nanos } = event.eventTime ?? {};
      return [
        {
          runId,
          eventId: String(event.eventId),
          at: new Date(Number(seconds) * 1_000 + Math.floor(Number(nanos) / 1_000_000)).toISOString(),
          via: signal ? 'signal' : 'update',
          name,
          claimed: signal?.identity ?? request?.meta?.identity,
          payload: payload === undefined ? {} : defaultPayloadConverter.fromPayload(payload),
        },
      ];
    }),
  );
}

/** The same of a record of a decision. */
function sentBy({ event, via, kind, sentAs, identity, gate, by, reason }: DecisionRecord) {
  const payload = Object.fromEntries(Object.entries({ gate, by, reason }).filter(([, value]) => value !== undefined));
  return { ...event, via, name: sentAs ?? kind, claimed: identity?.claimed, payload };
}

test('report.json has each event that the history has: signals, updates, refused ones, in their order', async () => {
  const real = createControlActivities({ catalogue: await loadCatalogue() });
  const script = new Script(LIVE_ALONE).always('writeReport', (request) => real.writeReport(request));
  const run = await controlPlane.begin({
    script,
    policy: { ...GATES, approval: { live: { approvers: ['*@ops'], identity: 'claimed' } } },
  });
  await run.atGate(SCHEMA);
  const [ada, eve] = [run.as('ada@ops'), run.as('eve@else')];
  await ada.signal('pause', { reason: 'lunch' });
  await eve.signal('resume', {});
  await ada.signal('resume', {});
  await eve.signal('approve', { gate: SCHEMA });
  await ada.signal('approve', { gate: SERVERS, by: 'ada@ops' });
  await eve.update('approve', { gate: SCHEMA }).catch(() => undefined);
  await ada.latest.signal('Approved', { gate: SCHEMA, reason: 'looks well' });
  await run.atGate(SERVERS);
  await ada.update('approve', { gate: SERVERS });
  const { reportDir = '' } = await run.result();
  const { rollout } = JSON.parse(await readFile(join(reportDir, 'report.json'), 'utf8')) as {
    readonly rollout: { readonly decisions: readonly DecisionRecord[] };
  };
  const sent = await sentOf(run);
  expect(rollout.decisions.map(sentBy)).toEqual(sent);
  expect(rollout.decisions.map(({ counted }) => counted)).toEqual([true, false, true, false, false, false, true, true]);
  // An update has its event when the task that took it down is over; a signal has it before.
  for (const { at, event, via } of rollout.decisions)
    if (via === 'signal') expect(Date.parse(at)).toBeGreaterThanOrEqual(Date.parse(event?.at ?? ''));
});

interface Sent {
  readonly from: string;
  readonly reason?: string;
  readonly by?: string;
}

/** For each rule of the policy: signals that do not count, with the reason, and those that then pass the gate. */
const RULES: readonly (readonly [
  keyof Approval | 'none',
  Approval,
  wrong: readonly [Sent, RegExp][],
  right: readonly Sent[],
])[] = [
  [
    'approvers',
    { approvers: ['ben@ops'], identity: 'claimed' },
    [[{ from: 'ada@ops' }, /^ada@ops is not among/]],
    [{ from: 'ben@ops' }],
  ],
  [
    'approvers',
    { approvers: ['ben'] },
    [
      [{ from: 'ben' }, /say who you are/],
      [{ from: 'x', by: 'ada' }, /^ada is not among/],
    ],
    [{ from: 'x', by: 'ben' }],
  ],
  [
    'identity',
    { identity: 'claimed' },
    [[{ from: 'ada@ops', by: 'ben@ops' }, /says it is by ben@ops, but its identity is ada@ops/]],
    [{ from: 'ben@ops' }],
  ],
  ['count', { count: 2, identity: 'claimed' }, [], [{ from: 'ada@ops' }, { from: 'ben@ops' }]],
  [
    'starterMayApprove',
    { starterMayApprove: false, identity: 'claimed' },
    [[{ from: 'starter@ops' }, /^starter@ops started this/]],
    [{ from: 'ben@ops' }],
  ],
  [
    'reasonRequired',
    { reasonRequired: true },
    [[{ from: 'ada@ops' }, /reasonRequired/]],
    [{ from: 'ben@ops', reason: 'quiet' }],
  ],
];

describe('a rule refuses the wrong signal and counts the right one', () => {
  test.concurrent.each(RULES)('%s %j', async (_, live, wrong, right) => {
    const run = await controlPlane.begin({ identity: 'starter@ops', policy: { ...GATES, approval: { live } } });
    await run.atGate(SCHEMA);
    const send = ({ from, ...payload }: Sent) => run.as(from).signal('approve', { gate: SCHEMA, ...payload });
    let sent = 0;
    for (const [signal, why] of wrong) {
      await send(signal);
      sent += 1;
      expect(await run.decided(sent)).toMatchObject({ counted: false, refused: expect.stringMatching(why) });
    }
    for (const signal of right) {
      expect(run.script.count('upgradeSchema')).toBe(0);
      await send(signal);
      sent += 1;
      expect(await run.decided(sent)).toMatchObject({ counted: true });
    }
    await run.atGate(SERVERS);
    await run.terminate();
  });

  test.concurrent('a proof counts nobody where the control plane proves nobody, as this one', async () => {
    const run = await controlPlane.begin({ policy: { ...GATES, approval: { live: { identity: 'proved' } } } });
    await run.atGate(SCHEMA);
    await run.as('ada@ops').signal('approve', { gate: SCHEMA, by: 'ada@ops' });
    expect(await run.decided(1)).toMatchObject({
      counted: false,
      refused: expect.stringMatching(/has no principal.*1\.31 or later with an authorizer/),
    });
    expect((await run.status()).state).toBe('waiting');
    expect(run.script.count('upgradeSchema')).toBe(0);
    await run.terminate();
  });
});

describe('the calendar, as it is', () => {
  const DAY_MS = 86_400_000;
  /** A time of day in UTC, so far from now. */
  const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(11, 16);
  const windows = (from: number, to: number) => ({ timeZone: 'UTC', open: [{ from: at(from), to: at(to) }] });

  test.concurrent('lets pass what comes within a window, and holds until it opens what comes before it', async () => {
    const hour = 3_600_000;
    const within = await controlPlane.begin({
      policy: { ...GATES, approval: { live: { windows: windows(-2 * hour, 2 * hour) } } },
    });
    await within.approve(SCHEMA);
    await within.atGate(SERVERS);
    expect(within.script.count('upgradeSchema')).toBeGreaterThan(0);

    const later = windows(2 * hour, 4 * hour);
    const before = await controlPlane.begin({ policy: { ...GATES, approval: { live: { windows: later } } } });
    await before.approve(SCHEMA);
    const { waiting } = await before.until('waiting', (status) => status.waiting?.for === 'time');
    const until = waiting?.for === 'time' ? waiting.until : '';
    expect(until.slice(11, 16)).toBe(later.open[0]?.from);
    expect(Date.parse(until) - Date.now()).toBeLessThan(DAY_MS);
    expect(before.script.count('upgradeSchema')).toBe(0);
    await within.terminate();
    await before.terminate();
  });
});

const PEOPLE = ['starter@ops', 'ada@ops', 'ben@ops', 'eve@else'] as const;
const policies = fc.record(
  {
    approvers: fc.constantFrom<string[]>(['*@ops'], ['ada@ops', 'ben@ops']),
    count: fc.integer({ min: 1, max: 2 }),
    starterMayApprove: fc.boolean(),
    reasonRequired: fc.boolean(),
  },
  { requiredKeys: [] },
);
const sequences = fc.array(
  fc.record({
    kind: fc.constantFrom<DecisionKind>('approve', 'approve', 'approve', 'reject', 'pause', 'resume'),
    from: fc.constantFrom(...PEOPLE),
    gate: fc.constantFrom(SCHEMA, SCHEMA, SCHEMA, 'live/1.31.2/backup'),
    reason: fc.option(fc.constant('because'), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What a policy means, in as few words as there are: which of the decisions count, and whether the gate is passed. */
function modelOf(
  policy: Approval,
  sequence: readonly { kind: DecisionKind; from: string; gate: string; reason: string | undefined }[],
) {
  const { approvers = ['*@ops', 'eve@else'], count = 1, starterMayApprove = true, reasonRequired = false } = policy;
  const isListed = (who: string) => approvers.includes(who) || (approvers.includes('*@ops') && who.endsWith('@ops'));
  const given = new Set<string>();
  let [paused, state] = [false, 'open'];
  const counted = sequence.map(({ kind, from, gate, reason }) => {
    const isHere = state === 'open' && gate === SCHEMA;
    if (kind === 'pause') return paused ? false : (paused = true);
    if (kind === 'reject') return isHere && ((state = 'rejected'), true);
    if (!isListed(from) || (reasonRequired && reason === undefined)) return false;
    if (kind === 'resume') return paused && ((paused = false), true);
    if (!isHere || given.has(from) || (!starterMayApprove && from === 'starter@ops')) return false;
    given.add(from);
    if (given.size >= count) state = 'passed';
    return true;
  });
  return { counted, isPassed: state === 'passed', paused };
}

/** Has them sent to a roll-out of their own, and holds what became of it against the model. */
async function play([policy, sequence]: readonly [Approval, Parameters<typeof modelOf>[1]]): Promise<void> {
  const live = { ...policy, identity: 'claimed' as const };
  const run = await controlPlane.begin({ identity: 'starter@ops', policy: { ...GATES, approval: { live } } });
  try {
    await run.atGate(SCHEMA);
    for (const { kind, from, ...payload } of sequence) await run.as(from).signal(kind, payload);
    await run.decided(sequence.length);
    const { counted, isPassed, paused } = modelOf(policy, sequence);
    const status = await run.status();
    expect([sequence, status.decisions.map((one) => one.counted)]).toEqual([sequence, counted]);
    expect(status.paused !== undefined).toBe(paused);
    if (isPassed && !paused) await run.atGate(SERVERS);
    expect(run.script.count('upgradeSchema') > 0).toBe(isPassed && !paused);
  } finally {
    await run.terminate();
  }
}

test('no sequence of decisions does anything but what a small model of the policy says', async () => {
  // Side by side, as each waits for its server most of the time.
  const together = fc.array(fc.tuple(policies, sequences), { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(together, async (cases) => {
      await Promise.all(cases.map(play));
    }),
    { numRuns: 4, endOnFailure: true },
  );
}, 300_000);
