import { expect, test } from '@jest/globals';
import { imageOfVersion, readImage, versionOfImage } from '../../../src/core/pods/images.js';

const PLAIN = { tag: '{version}', versions: {} };
const DIGEST = 'sha256:0123456789abcdef';

test.each([
  ['temporalio/server:1.31.2', { repository: 'temporalio/server', tag: '1.31.2' }],
  ['registry:5000/temporalio/server', { repository: 'registry:5000/temporalio/server' }],
  ['registry:5000/server:1.31.2@sha256:ab', { repository: 'registry:5000/server', tag: '1.31.2', digest: 'sha256:ab' }],
  ['server@sha256:ab', { repository: 'server', digest: 'sha256:ab' }],
])('%s is read', (text, expected) => {
  expect(readImage(text)).toEqual(expected);
});

test.each([
  ['temporalio/server:1.31.2', PLAIN, '1.31.2'],
  ['temporalio/server:latest', PLAIN, undefined],
  ['temporalio/server', PLAIN, undefined],
  ['ours:v1.31.2-4', { tag: 'v{version}-4', versions: {} }, '1.31.2'],
  ['ours:1.31.2', { tag: 'v{version}-4', versions: {} }, undefined],
  ['ours:stable', { tag: '{version}', versions: { '1.31.2': 'stable' } }, '1.31.2'],
  [`ours@${DIGEST}`, { tag: '{version}', versions: { '1.31.2': DIGEST } }, '1.31.2'],
])('the version of %s', (text, images, expected) => {
  expect(versionOfImage(text, images)).toBe(expected);
});

test.each([
  [PLAIN, 'temporalio/server:1.31.2'],
  [{ ...PLAIN, repository: 'mirror:5000/server' }, 'mirror:5000/server:1.31.2'],
  [{ tag: '{version}', versions: { '1.31.2': DIGEST } }, `temporalio/server@${DIGEST}`],
  [{ tag: '{version}', versions: { '1.31.2': 'stable' } }, 'temporalio/server:stable'],
])('the image of a version, which is read as that version again', (images, expected) => {
  const image = imageOfVersion('1.31.2', 'temporalio/server:1.30.7@sha256:cd', images);
  expect(image).toBe(expected);
  expect(versionOfImage(image, images)).toBe('1.31.2');
});
