import { messageOf } from '../../core/errors.js';
import type { SystemdNode } from '../../core/input/input.js';
import { cutLog, readNodeLog } from '../process/log-tail.js';
import type { Host } from './host.js';

const LINES = 200;

export interface UnitLogRequest {
  readonly host: Host;
  readonly asRoot: readonly string[];
  /** Byte of the node's log file, where there is one, at which the start began. */
  readonly logStart: number;
  /** When the unit's last process began, ISO 8601; absent when none could be started. */
  readonly since: string | undefined;
}

/** What a unit's start wrote, in words: the end of its log file where the worker can read one, else of the journal. */
export async function readUnitLog(
  node: SystemdNode,
  { host, asRoot, logStart, since }: UnitLogRequest,
): Promise<string> {
  if (node.logFile !== undefined) return readNodeLog(node, logStart);
  const from = since === undefined ? [] : [`--since=@${Math.floor(Date.parse(since) / 1_000)}`];
  const argv = [`--unit=${node.unit}`, `--lines=${LINES}`, ...from, '--output=cat', '--no-pager', '--quiet'];
  try {
    const tail = cutLog(await host.run([...asRoot, 'journalctl', ...argv]));
    return tail === '' ? `the journal of ${node.unit} has nothing of it` : `the end of its journal:\n${tail}`;
  } catch (error) {
    return `its journal cannot be read: ${messageOf(error)}`;
  }
}
