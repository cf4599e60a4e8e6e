import { join } from 'node:path';
import { activityInfo, log } from '@temporalio/activity';
import { z } from 'zod';
import { CommandJournal } from '../adapters/command-journal.js';
import { recordDir } from '../adapters/data-dir.js';
import { appendRecord } from '../adapters/record-file.js';
import type { MaybeRecorded, RecordPlace } from '../contract/activities.js';
import type { ObservedWindow } from '../core/evidence.js';
import type { Target } from '../core/input/input.js';

/** Of which roll-out and target a request is, where it says. */
const Recorded = z.object({
  dataDir: z.string(),
  rolloutId: z.string(),
  firstRunId: z.string(),
  target: z.object({ name: z.string() }),
});

/** What is written down about a target for the report. */
export function recordFiles(place: Omit<RecordPlace, 'target'> & { readonly target: Pick<Target, 'name'> }) {
  const directory = recordDir(place);
  return { directory, commands: join(directory, 'commands.jsonl'), windows: join(directory, 'windows.jsonl') };
}

/** A journal for the commands of the present activity; undefined where the request belongs to no roll-out. */
export function journalOf(request: unknown): CommandJournal | undefined {
  const place = Recorded.safeParse(request).data;
  if (place === undefined) return undefined;
  return new CommandJournal(recordFiles(place).commands, activityInfo().activityType, notWritten);
}

/** Keeps a window that was judged, where the request belongs to a roll-out. */
export function recordWindow(
  { target, dataDir, rolloutId, firstRunId }: MaybeRecorded & { readonly target: Target },
  window: ObservedWindow,
): void {
  if (dataDir === undefined || rolloutId === undefined || firstRunId === undefined) return;
  try {
    appendRecord(recordFiles({ target, dataDir, rolloutId, firstRunId }).windows, window);
  } catch (error) {
    notWritten(error);
  }
}

/** It will be missing in the report, which must not keep a cluster half-way between two versions. */
function notWritten(error: unknown): void {
  log.warn('not written down for the report', { error: String(error) });
}
