import { queryStatus, withControlPlane } from '../../client.js';
import { statusText } from '../../report/status-text.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';
import { paintStdout } from '../paint.js';

/** Prints where a roll-out is. @throws RequestError */
export async function status(workflowId: string, options: CommonOptions): Promise<void> {
  const shown = await withControlPlane(options, (client) => queryStatus(client, workflowId));
  print(options.output, shown, statusText(shown, Date.now(), { paint: paintStdout }));
}
