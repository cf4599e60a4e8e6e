import { messageOf } from '../../core/errors.js';
import { cutLog, readNodeLog, sizeOf } from '../process/log-tail.js';
import type { UnitAccess } from './unit-access.js';

const LINES = 200;

/** A place in what a unit writes. */
export interface LogPlace {
  /** Byte of its log file. */
  readonly byte: number;
  /** Last entry of its journal; absent when there is none. */
  readonly cursor?: string | undefined;
}

/** What a unit writes: into its log file where the worker can read one, else into the journal of its host. */
export interface UnitLog {
  /** Where it now ends. */
  end(): Promise<LogPlace>;
  /** What was written since, in words, or why that is not known. Never throws. */
  since(place: LogPlace): Promise<string>;
}

/** The log of a node's unit. */
export function createUnitLog({ node, host, asRoot }: UnitAccess): UnitLog {
  const journal = (...args: readonly string[]) =>
    host.run([...asRoot, 'journalctl', `--unit=${node.unit}`, '--output=cat', '--no-pager', '--quiet', ...args]);
  return {
    async end() {
      if (node.logFile !== undefined) return { byte: await sizeOf(node.logFile) };
      const printed = await journal('--lines=1', '--show-cursor').catch(() => '');
      return { byte: 0, cursor: /^-- cursor: (\S+)$/m.exec(printed)?.[1] };
    },
    async since({ byte, cursor }) {
      if (node.logFile !== undefined) return readNodeLog(node, byte);
      try {
        const after = cursor === undefined ? [] : [`--after-cursor=${cursor}`];
        const tail = cutLog(await journal(`--lines=${LINES}`, ...after));
        return tail === '' ? `the journal of ${node.unit} has nothing of it` : `the end of its journal:\n${tail}`;
      } catch (error) {
        return `its journal cannot be read: ${messageOf(error)}`;
      }
    },
  };
}
