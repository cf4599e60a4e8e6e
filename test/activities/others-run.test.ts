import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitUntilOthersRun } from '../../src/activities/others-run.js';
import type { NodeState } from '../../src/core/cluster.js';
import { startRingFrontend, type RingFrontend } from '../helpers/ring-frontend.js';

const [FIRST, SECOND] = ['10.0.0.1:7234', '10.0.0.2:7234'];

let ring: RingFrontend;
beforeEach(async () => {
  ring = await startRingFrontend(SECOND);
});
afterEach(() => ring.close());

const FIRST_NODE: NodeState = { name: 'history-1', role: 'history', rpcAddress: FIRST, running: true };
const SECOND_NODE: NodeState = { name: 'history-2', role: 'history', rpcAddress: SECOND, running: true };
const MATCHING: NodeState = { name: 'matching-1', role: 'matching', rpcAddress: '10.0.0.1:7235', running: true };
const DOWN = { running: false } as const;

/** Before history-1 is stopped; what a driver finds one look after the other, the last of it for ever. */
async function wait(
  looks: readonly (readonly NodeState[])[],
  {
    withinMs = 600_000,
    beside,
    onProgress,
  }: { withinMs?: number; beside?: readonly string[]; onProgress?: (line: string) => void } = {},
): Promise<void> {
  const frontend: NodeState = { name: 'frontend-1', role: 'frontend', rpcAddress: ring.address, running: true };
  const left = [...looks];
  const driver = {
    listNodes: () => {
      const found = (left.length > 1 ? left.shift() : left[0]) ?? [];
      return Promise.resolve([FIRST_NODE, frontend, ...found]);
    },
  };
  const order = { target: ring.target, node: 'history-1', beside, meanwhile: 'history-1 was not stopped' };
  await waitUntilOthersRun(driver, order, { onProgress }, withinMs);
}

test('where all run and are seen, nothing is waited for', async () => {
  await wait([[SECOND_NODE, MATCHING]]);
  expect(ring.asked).toBe(1);
});

test('one that stays down is named, of whatever role, with what is not done for it', async () => {
  const ended = (down: readonly NodeState[]) => wait([down], { withinMs: 700 });
  await expect(ended([SECOND_NODE, { ...MATCHING, ...DOWN }])).rejects.toMatchObject({
    name: 'PreconditionError',
    message: expect.stringMatching(
      /^matching-1 does not run, and nobody started it anew: history-1 was not stopped\. .* say retry/,
    ),
    facts: { node: 'history-1', down: ['matching-1'] },
  });
  await expect(ended([SECOND_NODE, MATCHING].map((one) => ({ ...one, ...DOWN })))).rejects.toThrow(
    'history-2, matching-1 do not run, and nobody started them anew',
  );
});

test('one that a supervisor starts anew is waited for until the frontends see it in its ring', async () => {
  ring.seen = FIRST;
  const told: string[] = [];
  const onProgress = (line: string): void => {
    told.push(line);
    if (told.length === 2) ring.seen = SECOND;
  };
  await wait([[{ ...SECOND_NODE, ...DOWN }], [SECOND_NODE]], { onProgress });
  expect(told).toEqual(Array(2).fill('history-1 waits until history-2 is there again'));
});

test('a view that stays behind stops nothing', async () => {
  ring.seen = FIRST;
  await wait([[SECOND_NODE]], { withinMs: 700 });
  expect(ring.asked).toBeGreaterThan(1);
});

test('those that are replaced beside it, and those that are leaving, may be away', async () => {
  ring.seen = FIRST;
  await wait([[{ ...SECOND_NODE, ...DOWN }]], { beside: ['history-2'] });
  await wait([[{ ...SECOND_NODE, ...DOWN, leaving: true }]]);
});
