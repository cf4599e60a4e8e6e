import { expect, test } from '@jest/globals';
import { checkPods } from '../../../src/core/checks/pods.js';
import type { KubernetesSurvey, WorkloadSurvey } from '../../../src/core/survey/kubernetes-survey.js';
import type { CheckContext } from '../../../src/core/survey/survey.js';
import { surveyOf } from '../../helpers/surveys.js';

const labels = { 'app.kubernetes.io/component': 'history' };
const HISTORY: WorkloadSurvey = {
  role: 'history',
  name: 'deployment/temporal-history',
  replicas: 3,
  strategy: 'RollingUpdate',
  hasReadiness: true,
  readyByHealth: true,
  hookSeconds: 0,
  graceSeconds: 120,
  labels,
  held: false,
};
const WELL: KubernetesSurvey = {
  namespace: 'temporal',
  change: 'image',
  stopSeconds: 120,
  denied: { seen: [] },
  workloads: { seen: [HISTORY] },
  budgets: { seen: [{ name: 'history', labels, disruptionsAllowed: 1 }] },
  autoscalers: { seen: [] },
};
/** Of the context, checks of pods know only whether a hop comes. */
const IN_HOP = { hop: {} } as CheckContext;
const ALONE = {} as CheckContext;

function found(change: Partial<KubernetesSurvey>, context = IN_HOP) {
  const survey = surveyOf({ kubernetes: { ...WELL, ...change } });
  return Object.fromEntries(checkPods(survey, context).map(({ id, severity }) => [id, severity]));
}
const of = (workload: Partial<WorkloadSurvey>, change: Partial<KubernetesSurvey> = {}, context = IN_HOP) =>
  found({ workloads: { seen: [{ ...HISTORY, ...workload }] }, ...change }, context);

test('all is well, and servers that are no pods: nothing is said', () => {
  expect(found({})).toEqual({});
  expect(checkPods(surveyOf(), IN_HOP)).toEqual([]);
});

test('what was not seen stops a hop', () => {
  expect(found({ workloads: { unseen: 'ECONNREFUSED' } })).toEqual({ 'kubernetes-unseen': 'block' });
  expect(found({ denied: { unseen: 'ECONNREFUSED' } }, ALONE)).toEqual({ 'kubernetes-unseen': 'warn' });
  expect(found({ budgets: { unseen: 'x' }, autoscalers: { unseen: 'x' } })).toEqual({
    'budgets-unseen': 'note',
    'autoscalers-unseen': 'note',
  });
});

test('rights that are missing are named', () => {
  const survey = surveyOf({ kubernetes: { ...WELL, denied: { seen: ['patch deployments.apps', 'list events'] } } });
  expect(checkPods(survey, IN_HOP)).toEqual([
    expect.objectContaining({
      id: 'kubernetes-rights',
      severity: 'block',
      found: 'this worker may not patch deployments.apps and list events in namespace temporal',
    }),
  ]);
});

test('what temporal-operator makes is left to it, where the version of its resource is stepped', () => {
  const owner = { apiVersion: 'temporal.io/v1beta1', kind: 'TemporalCluster', name: 'prod' };
  const operated = (name: string) => of({ owner }, { change: 'operator', operated: name });
  expect(operated('prod')).toEqual({ 'operator-limits': 'warn' });
  expect(operated('other')).toEqual({ 'operator-limits': 'warn', 'workload-owned': 'block' });
});

test.each([
  ['no readiness probe', { hasReadiness: false }, { 'readiness-missing': 'warn' }],
  ['a worker has none', { hasReadiness: false, role: 'worker' }, {}],
  ['killed sooner than it stops', { graceSeconds: 30 }, { 'grace-too-short': 'warn' }],
  ['a hook that takes of its time', { hookSeconds: 10 }, { 'grace-too-short': 'warn' }],
  ['a hook that leaves enough', { hookSeconds: 10, graceSeconds: 130 }, {}],
  ['a hook that nobody knows', { hookSeconds: 'unknown' }, { 'pre-stop-unknown': 'note' }],
  ['ready by its port', { readyByHealth: false, role: 'frontend' }, { 'readiness-by-port': 'note' }],
  ['another role by its port, as the charts have it', { readyByHealth: false }, {}],
  ['Recreate', { strategy: 'Recreate' }, { 'strategy-recreate': 'warn' }],
  ['one pod', { replicas: 1 }, { 'single-pod': 'note' }],
  ['held by a roll that was broken off', { held: true }, { 'workload-held': 'note' }],
  [
    'a resource of an operator',
    { owner: { apiVersion: 'temporal.io/v1beta1', kind: 'TemporalCluster', name: 'prod' } },
    { 'workload-owned': 'block' },
  ],
  ['a release of helm', { release: 'temporal' }, { 'image-of-release': 'warn' }],
  ['Flux', { reconciler: { by: 'Flux', always: true, evidence: 'x' } }, { 'foreign-reconciler': 'block' }],
  ['Argo CD', { reconciler: { by: 'Argo CD', always: false, evidence: 'x' } }, { 'foreign-reconciler': 'warn' }],
] as const)('%s', (_, workload, expected) => {
  expect(of(workload)).toEqual(expected);
});

test('a reconciler that gets the version by a command, and a release that helm upgrades, are as they should be', () => {
  expect(of({ reconciler: { by: 'Flux', always: true, evidence: 'x' } }, { change: 'command' })).toEqual({});
  expect(of({ release: 'temporal' }, { change: 'helm' })).toEqual({});
});

test('budgets that are not there or allow nothing; autoscalers of the roles alone', () => {
  expect(found({ budgets: { seen: [] } })).toEqual({ 'no-budget': 'note' });
  expect(found({ budgets: { seen: [{ name: 'b', labels, disruptionsAllowed: 0 }] } })).toEqual({
    'budget-blocks': 'note',
  });
  const scaler = { name: 'h', target: HISTORY.name, least: 2, most: 9 };
  expect(found({ autoscalers: { seen: [scaler] } })).toEqual({ autoscaler: 'warn' });
  expect(found({ autoscalers: { seen: [{ ...scaler, least: 9 }] } })).toEqual({});
  expect(found({ autoscalers: { seen: [{ ...scaler, target: 'deployment/other' }] } })).toEqual({});
});

test('nodes for which no setting can be written are named, with what follows', () => {
  const reason = 'configmap/temporal-dynamic-config is immutable';
  const unset = { seen: ['history-1', 'history-2'].map((node) => ({ node, reason })) };
  expect(checkPods(surveyOf({ kubernetes: { ...WELL, unset } }), IN_HOP)).toEqual([
    expect.objectContaining({
      id: 'settings-not-written',
      severity: 'warn',
      found: `no setting with which servers drain can be written for history-1 and history-2: ${reason}`,
      action: expect.stringContaining('by default without draining'),
    }),
  ]);
  expect(found({ unset: { unseen: 'ECONNREFUSED' } })).toEqual({ 'settings-unseen': 'note' });
});
