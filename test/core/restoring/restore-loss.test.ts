import { expect, test } from '@jest/globals';
import { lossLines, type NamespaceLoss } from '../../../src/core/restoring/restore-loss.js';

const LOSS = {
  backupAt: '2026-01-01T10:00:00.000Z',
  countedAt: '2026-01-01T11:00:00.000Z',
  countedBy: 'by visibility',
};
const loss = (namespace: string, started: number, closed = 0, running = 0): NamespaceLoss => ({
  namespace,
  started,
  closed,
  running,
});

test('names the namespace with the most first, each kind of loss by itself, and the sum', () => {
  const lines = lossLines({ ...LOSS, namespaces: [loss('quiet', 0), loss('small', 1), loss('shop', 30, 20, 10)] });
  expect(lines[0]).toBe(
    'everything since 2026-01-01T10:00:00.000Z would be undone; counted at 2026-01-01T11:00:00.000Z by visibility, and it grows until the servers stop:',
  );
  expect(lines.slice(1, 4)).toEqual([
    'namespace shop: 30 started since (they would be gone), 20 closed since (they would run again), 10 running then and now (their progress since would be lost)',
    expect.stringMatching(/^namespace small: 1 started since/),
    expect.stringMatching(/^all of them: 31 started since .* 20 closed .* 10 running/),
  ]);
  expect(lines.at(-1)).toContain('a client that got an answer for a start would find nothing');
  expect(lines.join('\n')).not.toContain('quiet');
});

test('keeps many namespaces short, and canaries apart', () => {
  const namespaces = Array.from({ length: 20 }, (_, index) => loss(`n${index}`, 100 - index));
  const lines = lossLines({ ...LOSS, namespaces, canaries: { started: 7, unfinished: 3 } });
  expect(lines.filter((line) => line.startsWith('namespace '))).toHaveLength(15);
  expect(lines).toContainEqual(expect.stringMatching(/^5 more namespaces: 415 started since/));
  expect(lines).toContainEqual('canaries of the load: 7 started since, 3 unfinished at the backup');
});

test('says so when nothing happened', () => {
  expect(lossLines({ ...LOSS, namespaces: [loss('shop', 0)] })).toContain(
    'no workflow was started, closed or running since',
  );
});
