import { readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { ControlPlane, type RunHistory } from '../helpers/control-plane.js';
import { SCENARIOS } from './scenarios.js';

/*
 * `npm run record-histories` plays every scenario with the workflows of the source and writes their histories anew. Not
 * part of any test run; docs/architecture.md says when to run it.
 */

const folder = fileURLToPath(new URL('.', import.meta.url));
let controlPlane: ControlPlane;
beforeAll(async () => {
  // The name of the sticky task queue is made of the identity: without one it would tell of the machine that recorded.
  controlPlane = await ControlPlane.start({ identity: 'recorder' });
  for (const file of await readdir(folder)) if (file.endsWith('.json')) await rm(folder + file);
}, 600_000);
afterAll(() => controlPlane.stop());

test.each(SCENARIOS)('records $name', async (scenario) => {
  const { name, beside } = scenario;
  const run = await scenario.play(controlPlane);
  await run.result();
  for (const [index, { history }] of (await run.histories()).entries()) await write(`${name}.${index + 1}`, history);
  if (beside !== true) return;
  for (const what of ['load', 'meter'] as const)
    await write(`${name}.${what}`, await run.historyBeside(what, 'staging'));
});

async function write(name: string, history: RunHistory['history']): Promise<void> {
  const small: unknown = JSON.parse(historyToJSON(history), (key, value: unknown) => {
    // Replay needs none of these. What activities were given is most of a file; traces and clients tell of the machine.
    if (key === 'stackTrace') return undefined;
    if (key === 'identity') return 'recorder';
    return key === 'activityTaskScheduledEventAttributes' ? { ...(value as object), input: undefined } : value;
  });
  await writeFile(`${folder}${name}.json`, `${JSON.stringify(small)}\n`);
}
