import { CancellationScope, log } from '@temporalio/workflow';
import type { RollSettingsResult } from '../contract/activities.js';
import { tookSince } from './moments.js';
import { describeFailure } from './describe-failure.js';
import type { HopContext } from './hop-context.js';
import type { Replacement } from './replace-servers.js';

/** How far the servers of a hop have been replaced; filled in while it is done, so that it is known wherever that ends. */
export interface RollState {
  /** What the servers run: one version, or "<from> and <to>" while they are replaced. */
  servers: string;
  /** Whether the target may have the settings of the roll. */
  settings: 'as before' | 'of the roll';
  /** Nodes that were begun with and not proved yet: a later try, there or back, may find them as they have to be. */
  readonly unproved: Set<string>;
}

/**
 * Gives the servers the settings that this replacement needs, before the first of them stops. On the way back a file that
 * cannot be changed stops nothing: servers that are drained by their own settings are better than the wrong ones that stay.
 */
export async function setForRoll(
  { target, place, hop, policy }: HopContext,
  { direction, state }: Replacement,
): Promise<string[]> {
  // Before the call: it may be killed when it has written, and before it has answered.
  state.settings = 'of the roll';
  try {
    const { keys, limits } = await target.act.applyRollSettings.executeWithOptions(
      { summary: 'settings with which servers drain' },
      [{ ...place, direction, roll: policy.roll }],
    );
    const known = new Set(hop.roll?.limits.map(({ text }) => text));
    return [
      ...(keys.length === 0 ? [] : [`${keys.length} settings for the roll`]),
      ...limits.filter((limit) => !known.has(limit)),
    ];
  } catch (error) {
    if (direction === 'forward' || CancellationScope.current().consideredCancelled) throw error;
    return [`not set for the roll: ${describeFailure(error)}`];
  }
}

/** Makes the configuration what it was, after the last server was replaced. */
export async function takeBackForRoll(context: HopContext, state: RollState): Promise<string[]> {
  const { keys, limits } = await takeBack(context, state);
  return [...(keys.length === 0 ? [] : [`${keys.length} of them taken back`]), ...limits];
}

async function takeBack({ target, place }: HopContext, state: RollState): Promise<RollSettingsResult> {
  const done = await target.act.takeBackRollSettings.executeWithOptions(
    { summary: 'settings of the roll taken back' },
    [place],
  );
  state.settings = 'as before';
  return done;
}

/** The same where a roll-out ends in the middle of a roll, also when it was cancelled; what cannot be taken back is told. */
export async function leaveNoRollSettings(context: HopContext, state: RollState): Promise<void> {
  if (state.settings === 'as before') return;
  const started = Date.now();
  const tell = (summary: string) => context.conductor.note({ phase: 'servers', ...tookSince(started), summary });
  await CancellationScope.nonCancellable(async () => {
    try {
      const { limits } = await takeBack(context, state);
      const ended = `ended while servers were replaced; they run ${state.servers}, the settings of the roll are taken back`;
      tell([ended, ...limits].join('; '));
    } catch (error) {
      log.warn('settings of the roll not taken back', { target: context.place.target.name, error: String(error) });
      tell(`ended while servers were replaced; settings of the roll are left behind: ${describeFailure(error)}`);
    }
  });
}
