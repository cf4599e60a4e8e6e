import type { ServerNode } from '../../core/input/input.js';
import { type StartError, startErrorsIn } from '../../core/survey/start-errors.js';
import { readSecret } from '../secrets.js';
import { readLogTail } from './log-tail.js';

/** What the end of a node's log says of why it could not start. @throws Error when there is no log that can be read */
export async function readStartErrors({ logFile, environment = {} }: ServerNode): Promise<readonly StartError[]> {
  if (logFile === undefined) throw new Error('the input names no "logFile" that this worker could read');
  const references = Object.values(environment).filter((value) => typeof value !== 'string');
  // One that this worker cannot read is none that it can blacken; a server's own start errors hold no secrets.
  const secrets = await Promise.all(references.map((reference) => readSecret(reference).catch(() => '')));
  return startErrorsIn(await readLogTail(logFile, 0, secrets));
}
