import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { PreconditionError } from '../../core/errors.js';
import type { SnapshotCommands } from '../../core/input/backups.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { writeBackup } from '../backup-file.js';
import type { BackupManifest } from '../backup-manifest.js';
import { runCommand } from '../run-command.js';
import { readEnvironment } from '../secrets.js';
import { readSnapshotRecord, snapshotName } from '../store-parts/snapshot-record.js';
import type { Backup, Store, Work } from '../store.js';

/** What the file of such a backup says: where the database itself is kept. */
export const SnapshotRecord = z.object({ snapshot: z.string().min(1), command: z.string() });
export type SnapshotRecord = z.infer<typeof SnapshotRecord>;

export interface SnapshotOrder {
  readonly words: readonly string[];
  readonly commands: Pick<SnapshotCommands, 'timeout' | 'environment'>;
  readonly of: Pick<BackupManifest, 'database' | 'host' | 'port'>;
  readonly file: string;
}

/**
 * Has a command of the operator take a snapshot, and keeps its id in `file` as the backup. The command is given the same name in
 * every try; a worker that dies after it was made asks for it again.
 * @throws PreconditionError when the command names none; CommandError
 */
export async function takeSnapshotByCommand(
  store: Store,
  { words, commands, of, file }: SnapshotOrder,
  work: Work,
): Promise<Backup> {
  return writeBackup(
    of,
    file,
    async (partial) => {
      const { product, schemaVersion } = await store.describe();
      const [program = '', ...args] = words.map((word) => fillPlaceholders(word, { name: snapshotName(file) }));
      const { env, secrets } = await readEnvironment(commands.environment);
      let said = '';
      const { stdout } = await runCommand(program, args, {
        env,
        secrets,
        signal: work.signal,
        timeoutMs: commands.timeout,
        onLine: (line) => {
          said = line;
          work.onProgress?.(`snapshot: ${line.slice(0, 200)}`);
        },
      });
      const snapshot = stdout.trimEnd().split('\n').at(-1)?.trim() ?? '';
      if (snapshot === '') {
        throw new PreconditionError(
          `${program} ended well and printed no id of a snapshot${said === '' ? '' : ` (last words: ${said.slice(0, 200)})`}; its last line has to be the id`,
          { program },
        );
      }
      const record: SnapshotRecord = { snapshot, command: program };
      await writeFile(partial, `${JSON.stringify(record, undefined, 2)}\n`);
      await readSnapshotRecord(partial, SnapshotRecord);
      return { serverVersion: product, schemaVersion, entries: 1 };
    },
    work,
  );
}
