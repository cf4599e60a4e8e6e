import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLoadWindow } from '../../src/load/load-window.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'load-window-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a load without a probe says nothing of one: that it saw nothing would make every window inconclusive', () => {
  const request = { file: join(folder, 'ledger.sqlite'), loadId: 'a', from: 0, to: 60_000 };
  expect(readLoadWindow({ ...request, policy: { probesPerSecond: 0 } })).not.toHaveProperty('probe');
  expect(readLoadWindow({ ...request, policy: {} }).probe).toMatchObject({ attempts: 0, missingMs: 60_000 });
});
