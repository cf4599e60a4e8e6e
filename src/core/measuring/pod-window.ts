import type { WindowKind } from './observation.js';
import { cutProcess, type Cut } from './process-window.js';
import { segmentsOf, type Slot } from './rises.js';
import type { Round } from './round.js';

export interface PodCut {
  readonly kind: WindowKind;
  readonly beatMs: number;
  /** The rounds of the window, one for each of its beats. */
  readonly rounds: readonly (Round | undefined)[];
}

/**
 * A pod in a window. Unlike a node that the input lists it comes and goes: it is judged by the beats of its own life, from its first
 * page to its last where a round without it was seen before or after. What it counted before its first page counts from zero. But
 * in a roll, a pod that comes or goes is a restart. One that is gone did not serve while it drained, its page still there: that is no
 * failure that lasts.
 */
export function cutPod(slots: readonly Slot[], name: string, { kind, beatMs, rounds }: PodCut): Cut {
  const isListed = (index: number) => rounds[index] !== undefined && rounds[index].problem === undefined;
  const isThere = ({ sample }: Slot) => sample !== undefined;
  const [first, last] = [slots.findIndex(isThere), slots.findLastIndex(isThere)];
  const came = slots.some((_, index) => index < first && isListed(index));
  const gone = slots.some((_, index) => index > last && isListed(index));
  const base = slots[first]?.sample;
  const hasPage = ({ sample }: Slot) => sample?.reading !== undefined;
  const from = came ? Math.max(first, slots.findIndex(hasPage)) : 0;
  const lastPage = slots.findLastIndex(hasPage);
  const to = gone ? (lastPage < 0 ? last : lastPage) : slots.length - 1;
  const life = slots.slice(from, to + 1).map(({ at, sample }, index): Slot => {
    // Not there between two beats at which it was, as one of a StatefulSet that is made anew.
    const isAway = sample === undefined && base !== undefined && isListed(from + index);
    return isAway ? { at, sample: { node: name, role: base.role, running: false } } : { at, sample };
  });
  const cut = cutProcess(life, name, beatMs);
  const restarts = cut.window.restarts + (kind === 'roll' ? 0 : Number(came) + Number(gone));
  const health = gone ? { ...cut.window.health, open: { beats: 0, bad: 0 } } : cut.window.health;
  const zero = came ? zeroBefore(life[0], beatMs) : undefined;
  return {
    ...cut,
    segments: zero === undefined ? cut.segments : segmentsOf([zero, ...life], beatMs),
    window: { ...cut.window, health, restarts, pod: true },
  };
}

/** A page before the first, of another run: what the first one shows was counted since. */
function zeroBefore(slot: Slot | undefined, beatMs: number): Slot | undefined {
  const reading = slot?.sample?.reading;
  if (slot?.sample === undefined || reading === undefined) return undefined;
  const empty = { ...reading, values: {}, histograms: {} };
  return { at: slot.at - beatMs, sample: { ...slot.sample, instance: 'before it came', reading: empty } };
}
