import { connectControlPlane, queryStatus } from '../../client.js';
import { statusText } from '../../report/status-text.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';
import { paintStdout } from '../paint.js';

/** Prints where a roll-out is. @throws RequestError */
export async function status(workflowId: string, options: CommonOptions): Promise<void> {
  const client = await connectControlPlane(options);
  const shown = await queryStatus(client, workflowId);
  print(options.output, shown, statusText(shown, Date.now(), { paint: paintStdout }));
  await client.connection.close();
}
