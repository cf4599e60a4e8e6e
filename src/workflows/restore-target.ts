import { CancellationScope } from '@temporalio/workflow';
import type { BackupResult, HopPlace, RestoreRequest, RestoreResult } from '../contract/activities.js';
import { ledgerLine, ledgerProblems } from '../core/ledger.js';
import { mapStores, partsIn, type StorePart } from '../core/stores.js';
import type { Done } from './conductor.js';
import { now } from './moments.js';
import { describeFailure } from './describe-failure.js';
import { recordOf, type HopContext } from './hop-context.js';
import { NotGoodEnough } from './interruptions.js';
import { takeBackForRoll, type RollState } from './roll-settings.js';
import { settlePhase } from './settle-phase.js';

/** What has been done of a restore; a phase that is tried again goes on from here. */
interface Journal {
  stoppedAt?: string;
  restored?: RestoreResult;
}

/** The backups of all stores, as a restore wants them; undefined unless all were made. */
export function restoreRequestOf(
  { place, hop }: HopContext,
  backups: readonly BackupResult[],
  stamp = stampOf(now()),
): RestoreRequest | undefined {
  const of = (part: StorePart) => backups.find(({ store }) => store === part);
  if (partsIn(hop.schema).some((part) => of(part) === undefined)) return undefined;
  const fileOf = (_: unknown, part: StorePart) => ({ file: of(part)?.file ?? '', sha256: of(part)?.sha256 ?? '' });
  return {
    ...place,
    backups: mapStores(hop.schema, fileOf),
    schema: mapStores(hop.schema, ({ from }) => from),
    stamp,
  };
}

/** Digits of a moment: it becomes part of the name of a database. */
function stampOf(at: string): string {
  return at.replace(/\.\d+/, '').replace(/\D/g, '');
}

/**
 * Takes the target back to the backups of this hop: servers stopped, databases restored, servers of the old version started
 * and proved, shards settled, the ledger held against what must be there. A person has approved what it loses.
 */
export async function restoreTarget(context: HopContext, request: RestoreRequest, state: RollState): Promise<void> {
  const { conductor, hop, place } = context;
  conductor.desk.reversibleHop = undefined;
  conductor.estimateRestore = undefined;
  const back: HopPlace = { ...place, from: hop.to, to: hop.from, restored: true };
  const journal: Journal = {};
  conductor.next = `settle on ${hop.from}`;
  // One phase, as there is no safe point in it: a target without servers is left only by a person, at its incident.
  const restored = await conductor.phase('restore', () =>
    CancellationScope.nonCancellable(() => stopRestoreStart(context, { request, back, journal, state })),
  );
  conductor.next = 'hold the ledger against what must be there';
  await conductor.phase('settle', () => settlePhase(context, back));
  conductor.next = 'wait for a person';
  await conductor.overridablePhase('verify', () => verifyUndone(context, restored));
}

interface Restoring {
  readonly request: RestoreRequest;
  readonly back: HopPlace;
  readonly journal: Journal;
  readonly state: RollState;
}

async function stopRestoreStart(context: HopContext, restoring: Restoring): Promise<Done<Required<Journal>>> {
  const { back, state } = restoring;
  const { target, place, hop, policy } = context;
  const done = await stopAndRestore(context, restoring);
  const lines = [restoredLine(done.restored), ...(await takeBackSettings(context, state))];
  await target.act.takeSnapshot.executeWithOptions({ summary: 'shards as the backup has them' }, [
    { ...back, shardsOnly: true },
  ]);
  // All of them before one is proved: alone none can serve.
  await target.act.startServers.executeWithOptions({ summary: `start all with ${hop.from}` }, [
    { ...recordOf(place), version: hop.from },
  ]);
  state.servers = hop.from;
  const steps = await target.look.planRoll.executeWithOptions({ summary: 'order of nodes' }, [
    { target: place.target, direction: 'forward' },
  ]);
  for (const { node } of steps) {
    // They run already, and were started a moment ago: that nobody comes or goes any more is asked once, of all of them.
    const isLast = node === steps.at(-1)?.node;
    await target.act.replaceNode.executeWithOptions({ summary: `${node} with ${hop.from}, proved` }, [
      {
        ...recordOf(place),
        ...{ node, version: hop.from, quietMs: policy.roll.quiet },
        ...(isLast ? { isLast, mayBeNew: true } : {}),
      },
    ]);
  }
  lines.push(`${steps.length} nodes started with ${hop.from}, each proved`);
  const { refreshed } = await target.act.refreshVisibility.executeWithOptions(
    { summary: 'visibility in step with the default store' },
    [restoring.request],
  );
  if (refreshed > 0) lines.push(`${refreshed} workflows written to visibility anew by the servers`);
  return { summary: lines.join('; '), value: done };
}

/** A file that cannot be changed keeps no server down: it is told, and the next roll takes back what it finds. */
async function takeBackSettings(context: HopContext, state: RollState): Promise<string[]> {
  if (state.settings === 'as before') return [];
  try {
    return await takeBackForRoll(context, state);
  } catch (error) {
    return [`settings of the roll are left behind: ${describeFailure(error)}`];
  }
}

async function stopAndRestore(
  { target, place }: HopContext,
  { request, journal, state }: Restoring,
): Promise<Required<Journal>> {
  const { stoppedAt, restored } = journal;
  // Servers that have been started on the restored databases since are not stopped by another try.
  if (stoppedAt !== undefined && restored !== undefined) return { stoppedAt, restored };
  await target.act.prepareRestore.executeWithOptions({ summary: 'backups read again' }, [request]);
  state.servers = 'none: stopped for a restore';
  const stopped = await target.act.stopServers.executeWithOptions({ summary: 'stop all servers' }, [recordOf(place)]);
  journal.stoppedAt ??= stopped.stoppedAt;
  journal.restored = await target.act.restoreStores.executeWithOptions({ summary: 'restore both stores' }, [request]);
  return { stoppedAt: journal.stoppedAt, restored: journal.restored };
}

function restoredLine({ backupAt, kept, removed, corrected }: RestoreResult): string {
  const places = Object.entries(kept).map(([store, place]) => `${store}: ${place}`);
  const repaired = `${removed} rows of visibility removed, ${corrected} set to what the default store says`;
  return `restored to ${backupAt}; what was there is kept (${places.join(', ')}); ${repaired}`;
}

/** Canaries of the time that is undone are told; all others have to be as they should. @throws NotGoodEnough */
async function verifyUndone(
  { conductor, environment, target, load }: HopContext,
  { stoppedAt, restored }: Required<Journal>,
): Promise<Done<true>> {
  if (load === undefined) return { summary: 'no canaries here: nothing to hold the restore against', value: true };
  await target.act.undoInLedger.executeWithOptions({ summary: 'what the restore has undone' }, [
    { ...load, backupAt: restored.backupAt, stoppedAt },
  ]);
  const ledger = await target.act.verifyLedger.executeWithOptions({ summary: 'ledger against histories' }, [
    { ...load, drain: false, since: conductor.acceptedUntil(environment) },
  ]);
  const wrong = ledgerProblems(ledger);
  if (wrong.length > 0) throw new NotGoodEnough([ledgerLine(ledger), ...wrong].join('\n'));
  return { summary: ledgerLine(ledger), value: true };
}
