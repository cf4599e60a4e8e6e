import { expect, test } from '@jest/globals';
import { accessRules, ruleName, SETTINGS_RULE } from '../../src/core/pods/access-rules.js';
import { allowedBy } from '../helpers/allowed-by.js';

const helm = {
  by: 'helm',
  helm: ['helm'],
  chart: 'x',
  chartVersion: {},
  values: [],
  set: {},
  migrateValues: false,
  timeout: 1,
} as const;
const asked = (change: Parameters<typeof accessRules>[0]['change']) => accessRules({ change }).map(ruleName);

test('the shipped Role has just what is asked for before a roll, and what its settings need, each once', async () => {
  const allowed = await allowedBy('role.yaml');
  expect(allowed.toSorted()).toEqual([...asked({ by: 'image' }), ruleName(SETTINGS_RULE)].toSorted());
  expect(new Set(allowed).size).toBe(allowed.length);
});

test('with that of temporal-operator, what is asked for where the version of its resource is stepped', async () => {
  const allowed = [...(await allowedBy('role.yaml')), ...(await allowedBy('role-operator.yaml'))];
  const needed = [...asked({ by: 'operator', cluster: 'prod', timeout: 1 }), ruleName(SETTINGS_RULE)];
  expect(allowed.toSorted()).toEqual(needed.toSorted());
});

test('with that of helm, what is asked for where helm is used', async () => {
  const allowed = new Set([...(await allowedBy('role.yaml')), ...(await allowedBy('role-helm.yaml'))]);
  expect([...allowed].toSorted()).toEqual(asked({ ...helm, helm: ['helm'], values: [] }).toSorted());
});
