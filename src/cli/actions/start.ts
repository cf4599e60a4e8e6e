import { startRollout, withControlPlane } from '../../client.js';
import type { RolloutInputText } from '../../core/input/input.js';
import { readInputFile } from '../../input-file.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface StartOptions extends CommonOptions {
  readonly file: string;
  readonly taskQueue?: string;
}

/** Checks a roll-out and starts it. @throws RequestError, InvalidRolloutError */
export async function start(options: StartOptions): Promise<void> {
  // Parsed by the client before it connects, so that a mistake is told without a control plane too.
  const raw = (await readInputFile(options.file)) as RolloutInputText;
  const { taskQueue } = options;
  const started = await withControlPlane(options, (client) => startRollout(client, raw, { taskQueue }));
  print(
    options.output,
    started,
    `started ${started.workflowId}\n\n  temporal-upgrade watch ${started.workflowId}\n  temporal-upgrade status ${started.workflowId}`,
  );
}
