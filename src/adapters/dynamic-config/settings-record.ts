import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { codeOf, PreconditionError } from '../../core/errors.js';
import { syncFolder, writeDurably } from './replace-file.js';

const Setting = z.object({ key: z.string(), value: z.string() });

/** Place in a log after which a server tells of what has been changed here. */
const LogPlace = z.object({ file: z.string(), from: z.int().nonnegative() });
export type LogPlace = z.infer<typeof LogPlace>;

const RecordedNode = z.object({
  name: z.string(),
  /** Absent where no log tells. */
  appliedFrom: LogPlace.optional(),
  takenBackFrom: LogPlace.optional(),
});

const RecordedFile = z.object({
  path: z.string(),
  pollMs: z.number(),
  nodes: z.array(RecordedNode),
  written: z.array(Setting),
  kept: z.array(z.string()),
  /** Whole content in base64; absent when somebody else changed the file since, and it must not come back. */
  before: z.string().optional(),
  after: z.string(),
});
export type RecordedFile = z.infer<typeof RecordedFile>;

/** What is written down before a file is changed, so that whoever comes after a killed worker can take it back. */
const SettingsRecord = z.object({
  format: z.literal(1),
  /** What was asked for. */
  wanted: z.array(Setting),
  files: z.array(RecordedFile),
  /** Set before the first file is taken back. */
  takingBack: z.boolean(),
  /** ISO 8601; set when all is as it was. */
  takenBackAt: z.string().optional(),
});
export type SettingsRecord = z.infer<typeof SettingsRecord>;

/** Undefined when nothing was written down. @throws PreconditionError when it cannot be read */
export async function readRecord(file: string): Promise<SettingsRecord | undefined> {
  try {
    return SettingsRecord.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new PreconditionError(
      `${file}, which says how the dynamic configuration was before the roll, cannot be read; take the settings of the roll out by hand, then remove it`,
      { file },
      { cause },
    );
  }
}

/** It is on the disk when this returns. Only its owner may read it: it holds whole files. */
export async function writeRecord(file: string, record: SettingsRecord): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeDurably(`${file}.partial`, JSON.stringify(record, null, 1), { mode: 0o600 });
  await rename(`${file}.partial`, file);
  await syncFolder(file);
}
