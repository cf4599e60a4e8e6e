import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { runCommand } from '../adapters/run-command.js';
import { executionState, queryStatus } from '../client.js';
import type { RolloutStatus } from '../core/status.js';
import { formatDuration } from '../core/duration.js';
import { shownKind } from '../core/shown-payload.js';
import { signalCommand } from '../report/status-markdown.js';

export interface FollowOptions {
  readonly client: Client;
  readonly workflowId: string;
  /** Path of the Temporal CLI. */
  readonly temporal: string;
  readonly address: string;
  /** Whether gates are approved here, by signals of the Temporal CLI, or left to a person. */
  readonly approve: boolean;
  /** Who the approvals are said to be by. */
  readonly by: string;
  /** Called with each status before gates are approved: what it does is done before the roll-out goes on. */
  readonly onStatus?: ((status: RolloutStatus) => Promise<void>) | undefined;
  readonly say: (line: string) => void;
}

/** Prints what a roll-out does until it is over, and approves its gates when told to. Incidents are never approved here. */
export async function follow(options: FollowOptions): Promise<void> {
  const { client, workflowId, temporal, address, approve, by, onStatus, say } = options;
  const told = new Set<string>();
  const once = (key: string, line: () => string) => {
    if (told.has(key)) return;
    told.add(key);
    say(line());
  };
  for (;;) {
    const isOver = (await executionState(client, workflowId)) !== 'RUNNING';
    const status = await queryStatus(client, workflowId);
    for (const [key, line] of progressLines(status)) once(key, () => line);
    // Asked once more when it is over: its last step may have come since.
    if (isOver) return;
    await onStatus?.(status);
    const { waiting } = status;
    if (waiting?.for === 'decision' && !told.has(waiting.name)) {
      once(waiting.name, () =>
        [`\n  ${waiting.kind} ${waiting.name}`, ...waiting.evidence.map((line) => `    ${line}`)].join('\n'),
      );
      if (approve && waiting.kind === 'approval') {
        const payload = JSON.stringify({ gate: waiting.name, by });
        const args = ['workflow', 'signal', '--workflow-id', workflowId, '--name', 'approve', '--input', payload];
        say(`\n$ temporal workflow signal --workflow-id ${workflowId} --name approve --input '${payload}'\n`);
        await runCommand(temporal, [...args, '--address', address]);
      } else {
        const command = signalCommand(workflowId, shownKind(waiting), waiting);
        say(`\n  decide in the Web UI, or: ${command} --address ${address}\n`);
      }
    }
    await sleep(1_000);
  }
}

function progressLines({ hops, phases, steps, current, staging, live }: RolloutStatus): [string, string][] {
  const lines: [string, string][] = [];
  for (const [environment, target] of [
    ['staging', staging],
    ['live', live],
  ] as const) {
    if (target !== undefined) lines.push([`path ${environment}`, `  ${environment}: ${target.path.join(' -> ')}`]);
  }
  const hopLines = (where: string, done: RolloutStatus['phases']) =>
    done.forEach(({ phase, seconds, summary }) =>
      lines.push([
        `${where} ${phase}`,
        `  ${where}  ${phase.padEnd(16)} ${formatDuration(seconds * 1_000).padStart(7)}  ${summary}`,
      ]),
    );
  for (const hop of hops) hopLines(`${hop.environment}/${hop.to}`, hop.phases);
  if (current?.environment !== undefined && current.to !== undefined)
    hopLines(`${current.environment}/${current.to}`, phases);
  steps.forEach(({ phase, summary }, index) => lines.push([`step ${index}`, `  ${phase}: ${summary}`]));
  return lines;
}
