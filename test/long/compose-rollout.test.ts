import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createComposeDriver } from '../../src/adapters/compose/compose-driver.js';
import { runCommand } from '../../src/adapters/run-command.js';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import type { NodeState } from '../../src/core/cluster.js';
import type { ComposeDriver } from '../../src/core/input/input.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import { writeProject } from '../../src/lab/compose/compose-cluster.js';
import { type LabPodman, startPodman } from '../../src/lab/compose/podman.js';
import { SHORT_POLICY, startTestLab, startWorkflow } from '../helpers/rollout-lab.js';

/**
 * Live is a project of podman-compose, with two services of matching: two hops, both clusters under load. Staging is processes, of
 * which the other long tests tell. Needs root, as containers get the network of the host.
 */
const VERSIONS = ['1.29.1', '1.30.7', '1.31.2'] as const;
const [FIRST, , LAST] = VERSIONS;
const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 5 };
const PINS = { '1.29': FIRST, '1.30': VERSIONS[1], '1.31': LAST };

let lab: Awaited<ReturnType<typeof startTestLab>>;
let podman: LabPodman;
let driver: ComposeDriver;
let settings: string;
let result: RolloutResult;

const compose = (...args: readonly string[]) => {
  const [program = ''] = driver.command;
  return runCommand(program, ['--project-name', driver.project, ...args], { cwd: projectFolder() });
};
const projectFolder = () => join(lab.directory, 'project');
const list = (): Promise<NodeState[]> => createComposeDriver(driver).listNodes();

beforeAll(async () => {
  lab = await startTestLab({ version: FIRST, live: { nodesPerRole: { matching: 2 } } });
  podman = await startPodman(join(lab.directory, 'podman'));
  const tools = createToolResolver();
  for (const version of VERSIONS) await podman.makeImage(version, tools);
  driver = await writeProject(lab.live.nodes, {
    name: 'live',
    directory: projectFolder(),
    podman,
    version: FIRST,
    shared: join(lab.directory, 'live'),
  });
  settings = await readFile(lab.live.dynamicConfigFile, 'utf8');
  for (const { name } of lab.live.nodes) await lab.live.driver.stopNode(name);
  await compose('up', '--detach');
  await lab.startWorker();
  const policy = { ...SHORT_POLICY, load: { staging: LOAD, live: LOAD } };
  const live = { ...lab.live.target, driver };
  const workflowId = await startWorkflow(lab, lab.input('1.31', { live, pins: PINS, policy }));
  result = (await lab.client.workflow.getHandle(workflowId).result()) as RolloutResult;
}, 1_800_000);

afterAll(async () => {
  await podman?.remove(); // first: their restart policy would bring them back
  await lab?.remove();
}, 180_000);

test('live went both hops without an incident', () => {
  expect(result).toMatchObject({ status: 'completed', live: { from: FIRST, to: LAST } });
  const hops = result.hops.filter(({ environment }) => environment === 'live');
  expect(hops.map(({ from, to, outcome, incidents }) => [from, to, outcome, incidents])).toEqual([
    [FIRST, VERSIONS[1], 'completed', 0],
    [VERSIONS[1], LAST, 'completed', 0],
  ]);
});

test('every container has the image of the last version', async () => {
  expect((await list()).map(({ name, version }) => [name, version])).toEqual(
    lab.live.nodes.map(({ name }) => [name, LAST]),
  );
});

test('every canary of live is accounted for', () => {
  const ledger = result.ledgers.live;
  expect(ledger).toMatchObject({ running: 0, lost: 0, duplicated: 0, wrong: 0, failed: 0, examples: [] });
  expect(ledger?.completed).toBe(ledger?.started);
});

test('settings of the roll were written into the file that the containers see, and taken back', async () => {
  const live = result.hops.filter(({ environment }) => environment === 'live');
  const rolls = live.flatMap(({ phases }) => phases.filter(({ phase }) => phase === 'servers'));
  // Nothing more is said where their servers were seen to read it.
  expect(rolls.map(({ summary }) => summary)).toEqual(
    VERSIONS.slice(1).map(() => '5 nodes replaced; 1 settings for the roll; 1 of them taken back'),
  );
  expect(await readFile(lab.live.dynamicConfigFile, 'utf8')).toBe(settings);
});

test('an "up" by hand that names no file changes nothing', async () => {
  const before = await list();
  await compose('up', '--detach');
  expect(await list()).toEqual(before);
}, 120_000);
