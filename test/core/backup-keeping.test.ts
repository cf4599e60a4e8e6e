import { expect, test } from '@jest/globals';
import { backupKeeping } from '../../src/core/backup-keeping.js';
import { parseTarget } from '../../src/core/input/input.js';
import { targetText } from '../helpers/rollout-input.js';

const ENCRYPTION = { encrypt: ['age', '-r', 'x'], decrypt: ['age', '-d'] };
const OBJECT_STORE = { bucket: 'backups', prefix: 'prod/', endpoint: 'https://minio:9000' };
const keeping = (backups: object, store = 'default', stores = {}) => {
  const text = targetText('live');
  return backupKeeping(parseTarget({ ...text, stores: { ...text.stores, ...stores }, backups }), store);
};

test.each([
  [{}, 'not encrypted'],
  [{ encryption: ENCRYPTION }, 'encrypted'],
  [{ encryption: ENCRYPTION, objectStore: OBJECT_STORE }, 'encrypted; also in backups/prod/ of https://minio:9000'],
  [{ objectStore: { bucket: 'backups', keepLocal: false } }, 'not encrypted; only in backups/ of S3 in us-east-1'],
  [{ snapshots: { default: ['snap', '{name}'] } }, 'a snapshot, taken by a command; the file says which'],
])('%j is told as: %s', (backups, told) => {
  expect(keeping(backups)).toBe(told);
});

test('a snapshot of one store says nothing of another, nor of the configuration', () => {
  const backups = { snapshots: { default: ['snap', '{name}'] } };
  expect([keeping(backups, 'visibility'), keeping(backups, 'configuration')]).toEqual([
    'not encrypted',
    'not encrypted',
  ]);
});

test('a snapshot in a repository of a search server is one', () => {
  const visibility = { type: 'elasticsearch', url: 'http://search:9200', index: 'v', snapshotRepository: 'nightly' };
  expect(keeping({ encryption: ENCRYPTION }, 'visibility', { visibility })).toBe(
    'a snapshot in the repository nightly; the file says which',
  );
});
