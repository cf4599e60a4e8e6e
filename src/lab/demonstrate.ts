import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../adapters/run-command.js';
import { resultOf } from '../client.js';
import { DEFAULT_TASK_QUEUE, ROLLOUT_WORKFLOW, rolloutIdOf } from '../contract/names.js';
import type { RolloutInputText } from '../core/input/input.js';
import type { RolloutResult } from '../core/rollout-result.js';
import { shellLine } from '../core/shell-line.js';
import { follow, type FollowOptions } from './follow.js';
import { startRolloutLab, type RolloutLab, type RolloutLabOptions } from './rollout-lab.js';
import type { Summary } from './rollout-summary.js';

/**
 * Shows something in a lab of its own, which is stopped whatever happens. The last line is that of the summary, the exit
 * code 0 only when that is complete.
 */
export async function demonstrate(
  options: RolloutLabOptions & { readonly onProgress: (line: string) => void },
  show: (lab: RolloutLab) => Promise<Summary>,
): Promise<void> {
  process.exitCode = 1;
  const lab = await startRolloutLab(options);
  let isInterrupted = false;
  const interrupted = () => {
    isInterrupted = true;
    void lab.stop().then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const { line, complete } = await show(lab);
    process.exitCode = complete ? 0 : 1;
    options.onProgress(JSON.stringify(line));
  } catch (error) {
    if (!isInterrupted) throw error; // what was asked of a lab that is being stopped
  } finally {
    process.removeListener('SIGINT', interrupted);
    process.removeListener('SIGTERM', interrupted);
    await lab.stop();
  }
}

/** Has a roll-out done in the lab with nothing but the Temporal CLI, as an operator would, and follows it to its end. */
export async function rollOut(
  lab: RolloutLab,
  input: RolloutInputText,
  options: Pick<FollowOptions, 'temporal' | 'approve' | 'by' | 'onStatus' | 'say'>,
): Promise<RolloutResult> {
  const { temporal, say } = options;
  const { address, uiUrl } = lab.controlPlane;
  const inputFile = join(lab.directory, 'rollout.json');
  await writeFile(inputFile, `${JSON.stringify(input, null, 2)}\n`);
  const workflowId = rolloutIdOf(lab.live.target.name);
  const start = ['workflow', 'start', '--type', ROLLOUT_WORKFLOW, '--task-queue', DEFAULT_TASK_QUEUE];
  const { staging, live } = lab;
  const summary = ['--static-summary', `upgrade of ${live.target.name} to ${input.to}`];
  const details = `staging **${staging.target.name}**, then live **${live.target.name}**, to **${input.to}**`;
  const place = ['--workflow-id', workflowId, '--input-file', inputFile, '--address', address];
  const startArgs = [...start, ...place, ...summary, '--static-details', details];
  say(`\n$ ${shellLine(['temporal', ...startArgs])}`);
  await runCommand(temporal, startArgs);
  say(`  Web UI: ${uiUrl}/namespaces/default/workflows/${workflowId}\n`);
  await follow({ client: lab.client, workflowId, address, ...options });
  const result = await resultOf(lab.client, workflowId);
  say(`\nreport: ${result.reportDir ?? 'not written'}`);
  return result;
}
