import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defaultPayloadConverter } from '@temporalio/common';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { followUntil, FROM, incidentsOf, LOAD, probeBetween, startLiveLab, TO } from '../helpers/live-roll.js';
import { SHORT_POLICY, startWorkflow } from '../helpers/rollout-lab.js';

/**
 * Three processes of history and of the frontend, behind haproxy, under load, two of them replaced at a time: first one of each role,
 * which is observed, then the two others at once.
 */
let lab: Awaited<ReturnType<typeof startLiveLab>>;
let workflowId: string;
let hopRunId: string;
let result: RolloutResult;
/** When servers were replaced, in milliseconds since 1970. */
const rolled = { from: 0, to: 0 };
/** Nodes that were seen down at the same moment, each set of them once. */
const seenDown = new Set<string>();

beforeAll(async () => {
  lab = await startLiveLab({ frontend: 3, history: 3 });
  await lab.startWorker();
  const policy = {
    ...SHORT_POLICY,
    load: { staging: LOAD, live: LOAD },
    roll: { quiet: '2s', canary: '12s', batch: 2 },
  };
  workflowId = await startWorkflow(lab, lab.input('1.31', { pins: { '1.30': FROM, '1.31': TO }, policy }));
  const over = new AbortController();
  const watching = watchProcesses(over.signal);
  try {
    await followUntil({ lab, workflowId }, ({ current }) => current?.phase === 'servers', {});
    hopRunId = (await lab.client.workflow.getHandle(workflowId).describe()).runId;
    rolled.from = Date.now();
    await followUntil({ lab, workflowId }, ({ current }) => current?.phase !== 'servers');
    rolled.to = Date.now();
    await followUntil({ lab, workflowId }, ({ state }) => state === 'completed');
  } finally {
    over.abort();
    await watching;
  }
  result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
}, 900_000);

afterAll(async () => {
  await lab?.remove();
}, 120_000);

async function watchProcesses(over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    // Of a process that is just ending it cannot be told.
    const nodes = await lab.live.driver.listNodes().catch(() => []);
    const down = nodes.filter(({ running }) => !running).map(({ name }) => name);
    seenDown.add(down.toSorted().join(' '));
    await sleep(50);
  }
}

/** What the run of the hop did with its nodes, in the order of its history: `+` where one is begun, `-` where it is done, and canaries. */
async function steps(): Promise<string[]> {
  const { events } = await lab.client.workflow.getHandle(workflowId, hopRunId).fetchHistory();
  const begun = new Map<string, string>();
  return (events ?? []).flatMap((event) => {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: done } = event;
    const payload = scheduled?.input?.payloads?.[0];
    const name = scheduled?.activityType?.name;
    if (payload !== undefined && (name === 'replaceNode' || name === 'observe')) {
      const { node, what = '' } = defaultPayloadConverter.fromPayload<{ node?: string; what?: string }>(payload);
      if (node === undefined) return what.startsWith('canary ') ? [what] : [];
      begun.set(String(event.eventId), node);
      return [`+${node}`];
    }
    const ended = begun.get(String(done?.scheduledEventId));
    return ended === undefined ? [] : [`-${ended}`];
  });
}

test('the first of each role goes alone and is observed, then two at a time', async () => {
  expect(result).toMatchObject({ status: 'completed', live: { from: FROM, to: TO } });
  expect(result.hops).toMatchObject([{ environment: 'live', outcome: 'completed' }]);
  expect(incidentsOf(result)).toEqual([]);
  const done = await steps();
  const alone = (node: string) => [`+${node}`, `-${node}`];
  const canary = (node: string) => [...alone(node), `canary ${node}`];
  expect(done.map((step) => step.replace(/^-(\w+)-[23]$/, '-$1-2 or 3'))).toEqual([
    ...alone('matching-1'),
    ...canary('history-1'),
    ...['+history-2', '+history-3', '-history-2 or 3', '-history-2 or 3'],
    ...canary('frontend-1'),
    ...['+frontend-2', '+frontend-3', '-frontend-2 or 3', '-frontend-2 or 3'],
    ...alone('worker-1'),
  ]);
  // On a busy machine twelve seconds may be too few to tell; that neither was bad is said by the incidents that are not there.
  expect(result.hops[0]?.phases.find(({ phase }) => phase === 'servers')?.summary).toMatch(
    /^8 nodes replaced; .*canary history-1 (good|inconclusive: .*); canary frontend-1 (good|inconclusive: .*)$/,
  );
});

test('both of a batch were down at the same time, never all of a role, and never two roles', () => {
  expect([...seenDown]).toEqual(expect.arrayContaining(['history-1', 'history-2 history-3', 'frontend-1']));
  const allowed = ['', 'matching-1', 'worker-1', 'history-1', 'frontend-1'].concat(
    ['history', 'frontend'].flatMap((role) => [`${role}-2`, `${role}-3`, `${role}-2 ${role}-3`]),
  );
  expect([...seenDown].filter((down) => !allowed.includes(down))).toEqual([]);
});

test('no client call failed meanwhile, and every canary is right', async () => {
  const probe = await probeBetween(lab, rolled.from, rolled.to);
  expect(probe).toMatchObject({ failedCalls: 0 });
  expect(probe?.calls).toBeGreaterThan(500);
  expect(result.ledgers.live).toMatchObject({
    running: 0,
    lost: 0,
    duplicated: 0,
    wrong: 0,
    failed: 0,
    failedCalls: 0,
  });
});
