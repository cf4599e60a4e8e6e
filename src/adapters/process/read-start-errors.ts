import type { ProcessNode } from '../../core/input.js';
import { startErrorsIn } from '../../core/start-errors.js';
import { readSecret } from '../secrets.js';
import { readLogTail } from './log-tail.js';

/** Lines at the end of a node's log that say why it could not start. @throws Error when the log cannot be read */
export async function readStartErrors({ logFile, environment }: ProcessNode): Promise<readonly string[]> {
  const references = Object.values(environment).filter((value) => typeof value !== 'string');
  // One that this worker cannot read is none that it can blacken; a server's own start errors hold no secrets.
  const secrets = await Promise.all(references.map((reference) => readSecret(reference).catch(() => '')));
  return startErrorsIn(await readLogTail(logFile, 0, secrets));
}
