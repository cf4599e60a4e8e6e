import { expect, test } from '@jest/globals';
import { keptName, restoredMark, restoringName } from '../../../src/adapters/sql/restore-names.js';

const STAMP = '20260101100000';

test('databases of a restore are named after their own', () => {
  expect(restoringName('temporal')).toBe('temporal_restoring');
  expect(keptName('temporal', STAMP)).toBe('temporal_before_restore_20260101100000');
});

test('a long name is cut so that PostgreSQL does not, and the two stay apart', () => {
  for (const long of ['t'.repeat(63), 'ü'.repeat(31)]) {
    const names = [restoringName(long), keptName(long, STAMP)];
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(names[0]).toMatch(/_restoring$/);
    expect(names[1]).toMatch(/_before_restore_20260101100000$/);
  }
});

test('a mark tells the backup and the restore that it is of', () => {
  const mark = restoredMark({ stamp: STAMP, sha256: 'f00d' });
  expect(mark).not.toBe(restoredMark({ stamp: STAMP, sha256: 'beef' }));
  expect(mark).not.toBe(restoredMark({ stamp: '20260101100001', sha256: 'f00d' }));
});
