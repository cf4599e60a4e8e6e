import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { OpenTarget } from '../../../src/adapters/open-target.js';
import { sampleRound } from '../../../src/adapters/meter/sample-round.js';
import { parseTarget, type Target } from '../../../src/core/input/input.js';
import { listedNodes } from '../../../src/core/input/listed-nodes.js';
import { targetText } from '../../helpers/rollout-input.js';

const nodesIn = (target: Target) => listedNodes(target) ?? [];

/** On ports of this host at which nothing answers, but for the metrics page of the nodes in `answering`. */
function targetOn(answering: Readonly<Record<string, string>>): Target {
  const text = targetText('staging');
  const nodes = text.driver.nodes.map((node, index) => ({
    ...node,
    rpcAddress: `127.0.0.1:${index + 1}`,
    metricsAddress: answering[node.name] ?? `127.0.0.1:${index + 101}`,
  }));
  return parseTarget({ ...text, connection: { address: '127.0.0.1:1' }, driver: { ...text.driver, nodes } });
}

/** Nothing of the driver but its list of processes; databases that do not answer. */
function openedWith(listNodes: OpenTarget['driver']['listNodes']): OpenTarget {
  const never = () => Promise.reject(new Error('not asked for here'));
  const driver = {
    ...{ listNodes, stopNode: never, startNode: never, prepare: never },
    ...{ readUsage: never, configurationPaths: () => [], explain: never },
  };
  const store = { measure: never } as unknown as OpenTarget['stores']['default'];
  return { driver, stores: { default: store, visibility: store } };
}

const BEAT = { at: 0, beatMs: 1_000 };

test('where the processes cannot be listed, nobody knows which run, and the round says why', async () => {
  const target = targetOn({});
  const round = await sampleRound(
    target,
    openedWith(() => Promise.reject(new Error('/proc cannot be read'))),
    BEAT,
  );
  expect(round.problem).toContain('/proc cannot be read');
  expect(round.processes.map(({ running }) => running)).toEqual(nodesIn(target).map(() => null));
  expect(round.processes[0]?.problem).toMatch(/.+; the processes of this host could not be listed: .*\/proc/);
});

/** A page of metrics that anybody gets, and its address. */
async function servePage() {
  const page = createServer((_, response) => response.end('num_goroutines 5\n'));
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  const { port } = page.address() as { port: number };
  const close = () => {
    page.closeAllConnections();
    page.close();
  };
  return { address: `127.0.0.1:${port}`, close };
}

test('rings of processes on other hosts are judged by what answers, not by what runs here', async () => {
  const page = await servePage();
  try {
    const target = targetOn({ 'frontend-1': page.address });
    const nodes = nodesIn(target).map((node) => ({ ...node, running: false }));
    const round = await sampleRound(
      target,
      openedWith(() => Promise.resolve(nodes)),
      BEAT,
    );
    // The frontend runs elsewhere, as its page says. That nobody could ask it for its rings proves nothing against them.
    expect(round.rings).toEqual({ problem: expect.stringContaining('127.0.0.1:3: ') });
    expect(round).not.toHaveProperty('problem');
  } finally {
    page.close();
  }
});

test('a process that ended while its page was asked for is sampled as it is since', async () => {
  const target = targetOn({});
  const listings = [
    { running: true, instance: '7:1' },
    { running: true, instance: '8:2' },
  ];
  const listNodes = () => {
    const one = listings.shift() ?? { running: false };
    return Promise.resolve(nodesIn(target).map((node) => ({ ...node, ...one })));
  };
  const { processes } = await sampleRound(target, openedWith(listNodes), BEAT);
  expect(processes.map(({ instance, running }) => ({ instance, running }))).toEqual(
    nodesIn(target).map(() => ({ instance: '8:2', running: true })),
  );
  expect(listings).toEqual([]);
});

test('a process that was started after they were listed, and answers, is sampled as it is since', async () => {
  const page = await servePage();
  try {
    const target = targetOn({ 'frontend-1': page.address });
    const listings = [{ running: false }, { running: true, instance: '8:2' }];
    const listNodes = () => {
      const one = listings.shift() ?? { running: false };
      return Promise.resolve(nodesIn(target).map((node) => ({ ...node, ...one })));
    };
    const { processes } = await sampleRound(target, openedWith(listNodes), BEAT);
    const found = Object.fromEntries(processes.map(({ node, instance, running }) => [node, { instance, running }]));
    expect(found['frontend-1']).toEqual({ instance: '8:2', running: true });
    // Nobody answered there: the beat is one without a process.
    expect(found['history-1']).toEqual({ instance: undefined, running: false });
  } finally {
    page.close();
  }
});
