import { describe, expect, test } from '@jest/globals';
import type { DriverSettings } from '../../../src/adapters/driver.js';
import type { Context } from '../../../src/adapters/kubernetes/context.js';
import {
  bringSettingsBack,
  createPodSettings,
  setSettingsAside,
} from '../../../src/adapters/kubernetes/pod-settings.js';
import { KubernetesDriver } from '../../../src/core/input/input.js';
import type { RollSetting } from '../../../src/core/plan.js';
import { mapApi, type MapApi } from '../../helpers/map-api.js';

const TEXT = '# ours\nfrontend.keepAliveMaxConnectionAge:\n  - value: 60s\n';
const FILE = 'configmap/dynamic: dynamic_config.yaml';
const input = KubernetesDriver.parse({
  type: 'kubernetes',
  namespace: 'temporal',
  release: 'temporal',
  change: { by: 'image' },
});
const setting = (key: string, value: string): RollSetting => ({
  ...{ key, value, why: '', source: '' },
  role: key.startsWith('frontend') ? 'frontend' : 'history',
});
const SETTINGS = [setting('frontend.shutdownDrainDuration', '75s'), setting('history.alignMembershipChange', '10s')];
/** Nobody is waited for. */
const NOT_RUNNING = { running: false };
const KEYS = SETTINGS.map(({ key }) => key);

function contextOf(api: MapApi, kubeletMs = 0): Context {
  return { api, input, work: {}, leastSeconds: 0, kubeletMs };
}
const open = (api: MapApi, kubeletMs = 0): DriverSettings => createPodSettings(() => contextOf(api, kubeletMs));

/** As a server writes it. */
const told = (key: string, value: string | null) =>
  `2026-11-30T12:00:01.5Z {"level":"info","msg":"dynamic config changed for the key: ${key.toLowerCase()} oldValue: nil newValue: ${value === null ? 'nil' : `{ constraints: {} value: ${value} }`}"}`;
const toldAll = () => SETTINGS.map(({ key, value }) => told(key, value));

test('what is read: keys of the operator, and the age of connections; not what this tool has written', async () => {
  const api = mapApi(TEXT);
  const facts = { keysSet: ['frontend.keepAliveMaxConnectionAge'], connectionAgeMs: 60_000, unreached: [] };
  expect(await open(api).read()).toEqual(facts);
  await open(api).apply(SETTINGS);
  expect(api.content).toContain('75s');
  expect(await open(api).read()).toEqual(facts);
});

describe('picked up', () => {
  test('by the log of each pod', async () => {
    const api = mapApi(TEXT);
    api.logs = { frontend: toldAll(), history: toldAll() };
    const done = await open(api, 60_000).apply(SETTINGS);
    expect(done).toEqual({
      files: [{ path: FILE, keys: KEYS, kept: [] }],
      nodes: [
        { node: 'frontend-1', pickedUp: 'seen' },
        { node: 'history-1', pickedUp: 'seen' },
      ],
      unreached: [],
    });
    api.logs = Object.fromEntries(
      ['frontend', 'history'].map((role) => [role, [...toldAll(), ...KEYS.map((key) => told(key, null))]]),
    );
    const undone = await open(api, 60_000).takeBack();
    expect(undone.nodes.map(({ pickedUp }) => pickedUp)).toEqual(['seen', 'seen']);
    expect(api).toMatchObject({ content: TEXT, annotations: {} });
  });

  test('what a server told last counts; one that tells nothing is waited for', async () => {
    const api = mapApi(TEXT);
    const [key = ''] = KEYS;
    api.logs = { frontend: [...toldAll(), told(key, null)], history: toldAll() };
    const done = await open(api).apply(SETTINGS);
    expect(done.nodes).toEqual([
      { node: 'frontend-1', pickedUp: 'waited' },
      { node: 'history-1', pickedUp: 'seen' },
    ]);
  });

  test('a server that cannot read its file is an incident', async () => {
    const api = mapApi(TEXT);
    api.logs = { frontend: ['2026-11-30T12:00:01Z {"msg":"Unable to update dynamic config."}'] };
    await expect(open(api).apply(SETTINGS)).rejects.toThrow(/frontend-1 says that it cannot read configmap\/dynamic/);
  });
});

test('somebody who writes at the same time is not written over, and keeps what is theirs', async () => {
  const api = mapApi(TEXT, NOT_RUNNING);
  api.beforePatch = (count) => {
    if (count === 1) api.write(`${TEXT}matching.rps:\n  - value: 7\n`);
  };
  await open(api).apply(SETTINGS);
  expect(api.content).toMatch(/matching\.rps[^]*75s/);
  api.write(api.content.replace('value: 7\n', 'value: 8\n'));
  await open(api).takeBack();
  expect(api).toMatchObject({ content: `${TEXT}matching.rps:\n  - value: 8\n`, annotations: {} });
});

test('no settings at all: what an earlier roll left is taken back', async () => {
  const api = mapApi(TEXT, NOT_RUNNING);
  await open(api).apply(SETTINGS);
  expect(await open(api).apply([])).toEqual({ files: [], nodes: [], unreached: [] });
  expect(api).toMatchObject({ content: TEXT, annotations: {} });
});

describe('set aside for what writes whole objects', () => {
  test('the text is as it was, and comes back with what was written down', async () => {
    const api = mapApi(TEXT, NOT_RUNNING);
    await open(api).apply(SETTINGS);
    const written = api.content;
    await setSettingsAside(contextOf(api));
    await setSettingsAside(contextOf(api));
    expect(api.content).toBe(TEXT);
    expect(Object.keys(api.annotations)).toEqual(['temporal-upgrade/settings']);
    await bringSettingsBack(contextOf(api));
    expect(api.content).toBe(written);
    const { patches } = api;
    await bringSettingsBack(contextOf(api));
    expect(api.patches).toBe(patches);
    await open(api).takeBack();
    expect(api).toMatchObject({ content: TEXT, annotations: {} });
  });

  test('another text that came meanwhile is the one that is kept, and what is taken back to', async () => {
    const api = mapApi(TEXT, NOT_RUNNING);
    await open(api).apply(SETTINGS);
    await setSettingsAside(contextOf(api));
    api.write('frontend.rps:\n  - value: 1\n');
    await bringSettingsBack(contextOf(api));
    expect(api.content).toMatch(/^frontend\.rps[^]*75s/);
    await open(api).takeBack();
    expect(api).toMatchObject({ content: 'frontend.rps:\n  - value: 1\n', annotations: {} });
  });

  test('a roll that ends while they are aside leaves nothing', async () => {
    const api = mapApi(TEXT, NOT_RUNNING);
    await open(api).apply(SETTINGS);
    await setSettingsAside(contextOf(api));
    await open(api).takeBack();
    expect(api).toMatchObject({ content: TEXT, annotations: {} });
  });
});

test.each([1, 2, 3, 4, 5, 6, 7])('a worker that is killed at its patch %i leaves nothing', async (dies) => {
  const api = mapApi(TEXT, NOT_RUNNING);
  api.beforePatch = (count) => {
    if (count === dies) throw new Error('killed');
  };
  const [apply, takeBack] = [() => open(api).apply(SETTINGS), () => open(api).takeBack()];
  const aside = () => setSettingsAside(contextOf(api));
  const back = () => bringSettingsBack(contextOf(api));
  const steps: readonly (() => Promise<unknown>)[] = [apply, aside, back, takeBack, apply, takeBack];
  for (const step of steps) await step().catch(step);
  expect(api).toMatchObject({ content: TEXT, annotations: {} });
  expect(api.patches).toBeGreaterThan(dies);
  await apply();
  expect(api.content).toContain('75s');
});
