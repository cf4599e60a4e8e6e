import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loadCatalogue } from '../../../src/adapters/catalogue-file.js';
import type { Catalogue } from '../../../src/core/catalogue/catalogue.js';
import { dynamicKeysOf } from '../../../src/core/catalogue/dynamic-keys.js';
import { Role, RollClients, RollPolicy, RollStyle } from '../../../src/core/input/input.js';
import type { RollSettings } from '../../../src/core/plan.js';
import { planPath } from '../../../src/core/planning/path.js';
import { paceText } from '../../../src/core/planning/roll-pace.js';
import { planRollSettings, withRollSettings } from '../../../src/core/planning/roll-settings.js';
import type { RollRequest } from '../../../src/core/planning/roll-target.js';
import { stopSeconds } from '../../../src/core/planning/roll-stop-time.js';
import { compareVersions } from '../../../src/core/version.js';

let catalogue: Catalogue;
let newest: readonly string[];
beforeAll(async () => {
  catalogue = await loadCatalogue();
  newest = catalogue.minors.map(({ patches }) => patches.at(-1) ?? '');
});

const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
const nodesOf = (counts: Partial<Record<Role, number>>) =>
  Object.entries(counts).flatMap(([role, count]) => Array.from({ length: count }, () => ({ role: Role.parse(role) })));
const TWO_EACH = nodesOf({ frontend: 2, history: 2, matching: 2, worker: 2 });

const plan = (stopping: string, starting: string, more: Partial<RollRequest> = {}): RollSettings =>
  planRollSettings({
    catalogue,
    stopping,
    starting,
    nodes: TWO_EACH,
    policy: RollPolicy.parse({}),
    stopTimeoutMs: 300_000,
    ...more,
  });
const valuesOf = ({ settings }: RollSettings) => Object.fromEntries(settings.map(({ key, value }) => [key, value]));
const limitsOf = ({ limits }: RollSettings) => limits.map(({ id }) => id);

test('two processes of each role, new versions: leaving is announced, aligned and drained', () => {
  const planned = plan('1.30.7', '1.31.2');
  expect(valuesOf(planned)).toEqual({
    'frontend.shutdownFailHealthCheckDuration': '15s',
    'frontend.shutdownDrainDuration': '75s',
    'matching.alignMembershipChange': '10s',
    'history.alignMembershipChange': '10s',
    'history.startupMembershipJoinDelay': '10s',
  });
  expect(limitsOf(planned)).toEqual(['open-connections']);
  for (const { why, source, key, role } of planned.settings) {
    expect(key.startsWith(`${role}.`)).toBe(true);
    expect(why).not.toBe('');
    expect(source).toMatch(/at v1\./);
  }
});

test.each<[string, Partial<RollPolicy>, Record<string, string>, string[]]>([
  [
    'pinned clients',
    { clients: 'pinned' },
    { 'frontend.shutdownFailHealthCheckDuration': '75s' },
    ['open-connections'],
  ],
  ['strict', { style: 'strict' }, { 'history.startupMembershipJoinDelay': '20s' }, ['open-connections']],
  ['as configured', { style: 'asConfigured' }, {}, ['as-configured']],
])('%s', (_, policy, values, limits) => {
  const planned = plan('1.30.7', '1.31.2', { policy: RollPolicy.parse(policy) });
  expect(valuesOf(planned)).toMatchObject(values);
  if (policy.style === 'asConfigured') expect(planned.settings).toEqual([]);
  expect(limitsOf(planned)).toEqual(limits);
});

test.each<[string, string, Record<string, string>, string[]]>([
  [
    '1.26.3',
    '1.27.4',
    { 'matching.alignMembershipChange': '10s', 'history.shutdownDrainDuration': '10s' },
    ['history-leaves-unaligned', 'open-connections'],
  ],
  [
    '1.23.1',
    '1.24.3',
    { 'matching.shutdownDrainDuration': '10s', 'history.shutdownDrainDuration': '10s' },
    ['matching-leaves-unaligned', 'history-leaves-unaligned', 'open-connections'],
  ],
  // A longer drain would only refuse calls for longer: frontends of 1.20 and 1.21 do not tell clients to go.
  [
    '1.20.5',
    '1.21.6',
    { 'frontend.shutdownFailHealthCheckDuration': '15s', 'history.startupMembershipJoinDelay': '10s' },
    ['frontend-cuts-calls', 'matching-leaves-unaligned', 'history-leaves-unaligned', 'open-connections'],
  ],
  [
    '1.18.5',
    '1.19.1',
    { 'frontend.shutdownDrainDuration': '15s' },
    [
      'frontend-cuts-calls',
      'matching-leaves-unaligned',
      'history-leaves-unaligned',
      'history-joins-at-once',
      'open-connections',
    ],
  ],
])('%s → %s: what the old version can do, and what it cannot', (stopping, starting, values, limits) => {
  const planned = plan(stopping, starting);
  expect(valuesOf(planned)).toMatchObject(values);
  expect(limitsOf(planned)).toEqual(limits);
  expect(valuesOf(planned)['history.alignMembershipChange']).toBeUndefined();
  if (stopping === '1.20.5') expect(valuesOf(planned)['frontend.shutdownDrainDuration']).toBeUndefined();
});

test('back to a version that does not align: the newer one, which is stopped, drains instead', () => {
  expect(valuesOf(plan('1.27.4', '1.26.3'))).toMatchObject({ 'history.shutdownDrainDuration': '10s' });
});

test('a role of one process drains nothing, and its gap is said', () => {
  const planned = plan('1.30.7', '1.31.2', { nodes: nodesOf({ frontend: 2, history: 1, matching: 2, worker: 1 }) });
  expect(planned.settings.filter(({ role }) => role === 'history')).toEqual([]);
  expect(planned.limits.filter(({ id }) => id !== 'open-connections')).toEqual([
    expect.objectContaining({
      id: 'single-process',
      text: expect.stringMatching(/^history has one process: .*two processes/),
    }),
  ]);
});

test('what the operator has set stays, whatever its letters', () => {
  const planned = plan('1.30.7', '1.31.2', { keysSet: ['History.AlignMembershipChange', 'frontend.rps'] });
  expect(planned.kept.map(({ key, value }) => [key, value])).toEqual([['history.alignMembershipChange', '10s']]);
  expect(valuesOf(planned)['history.alignMembershipChange']).toBeUndefined();
  // It aligns, in the operator's way: a drain in its place is not needed.
  expect(valuesOf(planned)['history.shutdownDrainDuration']).toBeUndefined();
});

test('frontends drain no longer than the driver waits, and it is said', () => {
  const planned = plan('1.30.7', '1.31.2', {
    stopTimeoutMs: 120_000,
    policy: RollPolicy.parse({ clients: 'pinned' }),
  });
  expect(valuesOf(planned)['frontend.shutdownDrainDuration']).toBe('40s');
  expect(planned.limits.find(({ id }) => id === 'drain-cut')?.text).toMatch(
    /40 s instead of 75 s.*2m.*; 155 s would do/,
  );
  const hasty = plan('1.30.7', '1.31.2', { stopTimeoutMs: 20_000 });
  expect(limitsOf(hasty)).toEqual([
    'open-connections',
    'drain-cut',
    'killed-while-stopping',
    'killed-while-stopping',
    'killed-while-stopping',
  ]);
});

describe('the age of connections to frontends, where the dynamic configuration says it', () => {
  const HEALTH = 'frontend.shutdownFailHealthCheckDuration';
  const strict = RollPolicy.parse({ style: 'strict' });
  test.each<[string, Partial<RollRequest>, string, string[]]>([
    ['default settings outlive 60 s', { connectionAgeMs: 60_000 }, '75s', []],
    ['and shorter ones, as long as is needed', { connectionAgeMs: 20_000 }, '31s', []],
    ['never shorter than without', { connectionAgeMs: 2_000 }, '15s', []],
    ['default settings do not wait for older ones', { connectionAgeMs: 61_000 }, '15s', ['open-connections']],
    ['as not known', {}, '15s', ['open-connections']],
    [
      'with the default stopTimeout the drain gives way',
      { connectionAgeMs: 60_000, stopTimeoutMs: 120_000 },
      '75s',
      ['drain-cut'],
    ],
    [
      'with a short one nothing is followed',
      { connectionAgeMs: 60_000, stopTimeoutMs: 80_000 },
      '15s',
      ['open-connections', 'drain-cut'],
    ],
    ['strict follows an older age', { policy: strict, connectionAgeMs: 120_000 }, '141s', []],
    ['strict up to what a server has to stop', { policy: strict, connectionAgeMs: 191_000 }, '220s', []],
    ['strict not beyond', { policy: strict, connectionAgeMs: 192_000 }, '75s', ['open-connections']],
    ['strict with 5 minutes', { policy: strict, connectionAgeMs: 300_000 }, '75s', ['open-connections']],
  ])('%s', (_, more, value, limits) => {
    const planned = plan('1.30.7', '1.31.2', more);
    expect(valuesOf(planned)[HEALTH]).toBe(value);
    expect(limitsOf(planned)).toEqual(limits);
  });

  test.each<[string, Partial<RollRequest>, RegExp]>([
    [
      'the numbers',
      { policy: strict, connectionAgeMs: 300_000 },
      /last 5m .*fail for 339 s; the time that a server of 1\.30\.7 has to stop leaves 220 s\. .*set \S+ to 60s/,
    ],
    [
      'what stopTimeout leaves',
      { policy: strict, connectionAgeMs: 100_000, stopTimeoutMs: 120_000 },
      /fail for 119 s; driver\.stopTimeout of 2m leaves 105 s/,
    ],
    [
      'strict as a way out',
      { connectionAgeMs: 90_000 },
      /last 1m 30s .*careful does not wait for.*choose the style strict, or set/,
    ],
    ['an age that fits', { stopTimeoutMs: 70_000 }, /to 41s and restart/],
    ['no age where none fits', { stopTimeoutMs: 30_000 }, /a longer driver\.stopTimeout is needed first/],
  ])('the limit tells %s', (_, more, text) => {
    expect(plan('1.30.7', '1.31.2', more).limits.find(({ id }) => id === 'open-connections')?.text).toMatch(text);
  });

  test('a server of 1.20 has 60 s to stop: 60 s cannot be outlived, 32 s can', () => {
    const sixty = plan('1.20.5', '1.21.6', { connectionAgeMs: 60_000 });
    expect(valuesOf(sixty)[HEALTH]).toBe('15s');
    expect(sixty.limits.find(({ id }) => id === 'open-connections')?.text).toContain('to 32s and restart');
    const short = plan('1.20.5', '1.21.6', { connectionAgeMs: 32_000 });
    expect(valuesOf(short)[HEALTH]).toBe('45s');
    expect(limitsOf(short)).not.toContain('open-connections');
  });

  test('what the operator has set for the health stays, and the limit with it', () => {
    const planned = plan('1.30.7', '1.31.2', { connectionAgeMs: 60_000, keysSet: [HEALTH] });
    expect(planned.kept.map(({ key, value }) => [key, value])).toEqual([[HEALTH, '75s']]);
    expect(limitsOf(planned)).toEqual(['open-connections']);
  });
});

describe('nodes whose dynamic configuration cannot be read', () => {
  const reason = '/etc/temporal/dynamic.yaml cannot be found by this worker (ENOENT)';
  const unreached = (...nodes: [string, Role][]) => nodes.map(([node, role]) => ({ node, role, reason }));

  test('are named, and settings that no node would get are not promised', () => {
    const planned = plan('1.30.7', '1.31.2', {
      unreached: unreached(
        ['history-1', 'history'],
        ['frontend-1', 'frontend'],
        ['frontend-2', 'frontend'],
        ['worker-1', 'worker'],
      ),
    });
    expect(Object.keys(valuesOf(planned))).toEqual([
      'matching.alignMembershipChange',
      'history.alignMembershipChange',
      'history.startupMembershipJoinDelay',
    ]);
    const [limit, ...others] = planned.limits.filter(({ id }) => id === 'settings-not-written');
    expect(others).toEqual([]);
    // Workers get no setting in any case.
    expect(limit?.text).toMatch(/^no setting is written for history-1, frontend-1, frontend-2: .*ENOENT/);
    expect(limitsOf(planned)).toContain('open-connections');
  });

  test('are not named where nothing would be set', () => {
    const planned = plan('1.30.7', '1.31.2', {
      unreached: unreached(['history-1', 'history']),
      policy: RollPolicy.parse({ style: 'asConfigured' }),
    });
    expect(limitsOf(planned)).toEqual(['as-configured']);
  });
});

test.each<[Partial<RollPolicy>, string]>([
  [
    {},
    'one process after the other: matching (2), history (2), frontend (2), worker (2); the first of each goes alone and is observed for 30s before the others',
  ],
  [
    { batch: 2, canary: 0 },
    'up to 2 processes of a role at a time, never all of them: matching (2), history (2), frontend (2), worker (2); no canary',
  ],
])('order, batch and canary of %j as a sentence', (policy, text) => {
  const { pace } = plan('1.30.7', '1.31.2', { policy: RollPolicy.parse(policy) });
  expect(pace && paceText(pace)).toBe(text);
});

test('a minor whose keys nobody has read gets none', () => {
  const planned = plan('1.99.0', '1.99.1');
  expect(planned.settings).toEqual([]);
  expect(limitsOf(planned)).toContain('keys-not-known');
});

test('each hop of a path has its own', () => {
  const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
  const path = planPath({ catalogue, from: '1.26.3', to: '1.28', stores });
  const target = { nodes: TWO_EACH, policy: RollPolicy.parse({}), stopTimeoutMs: 120_000 };
  const aligned = withRollSettings(path, catalogue, target).hops.map(({ roll }) =>
    roll?.settings.some(({ key }) => key === 'history.alignMembershipChange'),
  );
  expect(aligned).toEqual([false, true]);
});

describe('laws', () => {
  const request = () =>
    fc
      .record({
        stopping: fc.constantFrom(...newest),
        starting: fc.constantFrom(...newest),
        counts: fc.record(Object.fromEntries(ROLES.map((role) => [role, fc.integer({ min: 1, max: 3 })]))),
        style: fc.constantFrom(...RollStyle.options),
        clients: fc.constantFrom(...RollClients.options),
        stopTimeoutMs: fc.integer({ min: 0, max: 400_000 }),
        connectionAgeMs: fc.option(fc.integer({ min: 1, max: 400_000 }), { nil: undefined }),
        keysSet: fc.subarray(['history.alignMembershipChange', 'frontend.shutdownDrainDuration', 'frontend.rps']),
      })
      .map(({ counts, style, clients, ...rest }) => ({
        catalogue,
        nodes: nodesOf(counts),
        policy: RollPolicy.parse({ style, clients }),
        ...rest,
      }));

  test('no key twice, none of a role of one process, none that the reading version does not know', () => {
    fc.assert(
      fc.property(request(), (asked) => {
        const { settings, kept } = planRollSettings(asked);
        const keys = [...settings, ...kept].map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { key, role } of [...settings, ...kept]) {
          expect(asked.nodes.filter((node) => node.role === role).length).toBeGreaterThan(1);
          const known = [asked.stopping, asked.starting].map((version) =>
            dynamicKeysOf(catalogue.dynamicKeys, version)?.has(key.toLowerCase()),
          );
          expect(known).toContain(true);
          if (key.endsWith('alignMembershipChange')) expect(known).toEqual([true, true]);
        }
        expect(settings.some(({ key }) => asked.keysSet.includes(key))).toBe(false);
      }),
    );
  });

  test('what is set, and what would have been, does not depend on what the operator has set', () => {
    fc.assert(
      fc.property(request(), (asked) => {
        const free = planRollSettings({ ...asked, stopTimeoutMs: 400_000, keysSet: [] });
        const { settings, kept } = planRollSettings({ ...asked, stopTimeoutMs: 400_000 });
        const sorted = (list: RollSettings['settings']) => list.map(({ key, value }) => `${key} ${value}`).toSorted();
        expect(sorted([...settings, ...kept])).toEqual(sorted(free.settings));
      }),
    );
  });

  test('a process is done before it is killed, or it is said', () => {
    fc.assert(
      fc.property(request(), (asked) => {
        const { settings, limits } = planRollSettings(asked);
        const late = ROLES.filter((role) => stopSeconds(role, settings) * 1_000 > asked.stopTimeoutMs);
        if (late.length > 0 && settings.length > 0) {
          expect(limits.map(({ id }) => id)).toContain('killed-while-stopping');
        }
      }),
    );
  });

  test('a service is done before the server’s own end: 60 s up to 1.20, 5 min from 1.21 on', () => {
    fc.assert(
      fc.property(request(), (asked) => {
        const { settings } = planRollSettings({ ...asked, stopTimeoutMs: 400_000 });
        const end = compareVersions(asked.stopping, '1.21.0') < 0 ? 60 : 300;
        for (const role of ROLES) expect(stopSeconds(role, settings)).toBeLessThan(end);
      }),
    );
  });
});

test('containers of Compose are found too, and get their settings; the plan names the roles of one process', () => {
  const nodes = nodesOf({ frontend: 1, history: 2, matching: 1, worker: 1 });
  const planned = plan('1.30.7', '1.31.2', { nodes, isFound: true });
  expect(planned.gaps).toEqual(['frontend', 'matching']);
  expect(valuesOf(planned)).toEqual(valuesOf(plan('1.30.7', '1.31.2', { nodes })));
  expect(planned.settings.length).toBeGreaterThan(0);
});

describe('pods', () => {
  const pods = (counts: Partial<Record<Role, number>>, more: object = {}) =>
    nodesOf(counts).map((node) => ({ ...node, surge: true as const, ...more }));

  test('one whose successor comes before it goes drains too, and has no gap; one of a StatefulSet has', () => {
    const nodes = [...pods({ frontend: 1, history: 2, worker: 1 }), ...nodesOf({ matching: 1 })];
    const planned = plan('1.30.7', '1.31.2', { nodes, isFound: true });
    expect(planned.gaps).toEqual(['matching']);
    expect([...new Set(planned.settings.map(({ role }) => role))]).toEqual(['frontend', 'history']);
    expect(limitsOf(planned)).toEqual(['single-process', 'open-connections']);
    expect(plan('1.30.7', '1.31.2', { nodes: nodesOf({ history: 1 }) })).not.toHaveProperty('gaps');
  });

  test.each<[string, RollStyle, number, string, string, string[]]>([
    ['is long enough', 'careful', 95, '15s', '75s', ['open-connections']],
    ['of 60 s leaves less for calls in progress', 'careful', 60, '15s', '40s', ['open-connections', 'drain-cut']],
    ['of 30 s, which is the default', 'careful', 30, '15s', '10s', ['open-connections', 'drain-cut']],
    ['of 30 s cuts the health too', 'strict', 30, '15s', '10s', ['open-connections', 'health-cut', 'drain-cut']],
  ])('a grace period that %s', (_, style, stopSeconds, health, drain, limits) => {
    const nodes = pods({ frontend: 2, history: 2, matching: 2, worker: 2 }, { stopSeconds });
    const planned = plan('1.30.7', '1.31.2', { nodes, isFound: true, policy: RollPolicy.parse({ style }) });
    expect(valuesOf(planned)).toMatchObject({
      'frontend.shutdownFailHealthCheckDuration': health,
      'frontend.shutdownDrainDuration': drain,
    });
    expect(limitsOf(planned)).toEqual(limits);
    // Whatever is written, no pod is killed while it drains.
    expect(longestStop(planned)).toBeLessThanOrEqual(stopSeconds);
    if (limits.includes('drain-cut'))
      expect(planned.limits.find(({ id }) => id === 'drain-cut')?.text).toMatch(
        /as terminationGracePeriodSeconds is \S+; \d+ s would do/,
      );
  });

  test('the grace period of the pods that stop counts, not that of their template, and not beyond stopTimeout', () => {
    const nodes = [...pods({ frontend: 1 }, { stopSeconds: 30 }), ...pods({ frontend: 1 }, { stopSeconds: 600 })];
    expect(valuesOf(plan('1.30.7', '1.31.2', { nodes }))['frontend.shutdownDrainDuration']).toBe('10s');
    const patient = plan('1.30.7', '1.31.2', {
      nodes: pods({ frontend: 2 }, { stopSeconds: 600 }),
      stopTimeoutMs: 60_000,
    });
    expect(valuesOf(patient)['frontend.shutdownDrainDuration']).toBe('40s');
    expect(patient.limits.find(({ id }) => id === 'drain-cut')?.text).toContain('as driver.stopTimeout is 1m');
  });

  const longestStop = ({ settings }: RollSettings) => stopSeconds('frontend', settings);
});
