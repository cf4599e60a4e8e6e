import { expect, test } from '@jest/globals';
import { isSurelyReady, type Pod, troubleOf } from '../../../src/core/pods/pod.js';

const MADE = '2026-11-30T12:00:00Z';
const POD: Pod = {
  name: 'temporal-history-1',
  uid: 'u',
  role: 'history',
  version: '1.31.2',
  createdAt: MADE,
  ending: false,
  running: false,
  ready: false,
  probed: false,
  container: 'temporal-history',
  restarts: 0,
  stopSeconds: 30,
  image: 'temporalio/server:1.31.2',
};
const trouble = (more: Partial<Pod>, afterSeconds = 1) =>
  troubleOf({ ...POD, ...more }, Date.parse(MADE) + afterSeconds * 1_000);
const waiting = (reason: string, message = '') => ({ waitingFor: { reason, message } });
const ended = { exitCode: 1, reason: 'Error' };

test.each([
  ['one that is being started has none', waiting('ContainerCreating'), undefined],
  ['one that runs and is not ready has none that shows', { running: true }, undefined],
  ['a registry that is busy is waited for', waiting('ErrImagePull', 'timeout'), false],
  ['a name that is none is not', waiting('InvalidImageName'), true],
  ['a missing ConfigMap is not', waiting('CreateContainerConfigError', 'configmap "x" not found'), true],
  ['one restart may be an accident', { running: true, restarts: 1, ended }, false],
  ['two are none', { running: true, restarts: 2, ended }, true],
  ['nor is one that waits to be started again', { ...waiting('CrashLoopBackOff'), restarts: 1, ended }, true],
  ['a node may come for it', { unscheduled: '0/3 nodes are available' }, false],
])('%s', (_, more, isFinal) => {
  expect(trouble(more)?.isFinal).toBe(isFinal);
});

test('an image that could not be pulled for a while is given up, with what was said', () => {
  expect(trouble(waiting('ImagePullBackOff', 'not found'), 19)?.isFinal).toBe(false);
  expect(trouble(waiting('ImagePullBackOff', 'not found'), 21)).toEqual({
    text: 'its image temporalio/server:1.31.2 cannot be pulled: ImagePullBackOff: not found',
    isFinal: true,
  });
});

test.each([
  ['one that answered a probe', { ready: true, probed: true, startedAt: MADE }, true],
  ['without a probe not one that has just begun', { ready: true, startedAt: MADE }, false],
  ['one that has run for a while', { ready: true, startedAt: '2026-11-30T11:59:54Z' }, true],
  ['not one that is not ready', { probed: true, startedAt: '2026-11-30T11:59:00Z' }, false],
])('taken at its word is %s', (_, more, surely) => {
  expect(isSurelyReady({ ...POD, ...more }, Date.parse(MADE) + 1_000)).toBe(surely);
});
