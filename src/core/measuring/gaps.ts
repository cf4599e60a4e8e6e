import type { ProcessSample } from './round.js';
import type { Slot } from './rises.js';

/** Milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * A role that has one process has none while that is replaced. After it serves again, the other servers still wait for at
 * most so long before they call it: MaxBackoffDelay of their connections (common/rpc/grpc.go of the server).
 */
export const START_GRACE_MS = 10_000;

/** When a process was away while it was replaced, and when it may have been, as nobody looked. */
export interface Gaps {
  readonly sure: readonly Span[];
  /** Those, and what may have been. */
  readonly possible: readonly Span[];
}

/**
 * When a process was down while it was replaced, from the beat before to the one after and {@link START_GRACE_MS} more. A
 * beat without a sample is no gap; between one that was seen down, or as another run, and the last one before it that was sampled
 * there may be one. A process that did not serve and is the same run has none.
 */
export function gapsOf(slots: readonly Slot[], beatMs: number): Gaps {
  const known = slots.filter((slot) => slot.sample !== undefined);
  const sure: Span[] = [];
  const possible: Span[] = [];
  for (const [index, { at, sample }] of known.entries()) {
    const [before, after] = [known[index - 1], known[index + 1]];
    if (sample === undefined) continue;
    const down = isDown(sample);
    const isGap = down ? wasReplaced(known, index) : isNew(before, sample);
    if (!isGap) continue;
    const looked = before !== undefined && at - before.at <= beatMs;
    const servesAgain = down ? at + beatMs : at;
    if (down || looked) sure.push({ from: at - beatMs, to: servesAgain + START_GRACE_MS });
    possible.push({
      from: Math.min(at - beatMs, before?.at ?? at),
      to: Math.max(servesAgain, down ? (after?.at ?? at) : at) + START_GRACE_MS,
    });
  }
  return { sure: merge(sure), possible: merge([...sure, ...possible]) };
}

function isDown({ running, health }: ProcessSample): boolean {
  return running === false || (health !== undefined && health !== 'SERVING');
}

/** Another run than at the beat before, which served too. */
function isNew(before: Slot | undefined, { instance }: ProcessSample): boolean {
  const known = before?.sample?.instance;
  return known !== undefined && instance !== undefined && known !== instance;
}

/** Whether another run came after these beats than was before them; where nobody knows any run, that it was away. */
function wasReplaced(slots: readonly Slot[], index: number): boolean {
  const serving = ({ sample }: Slot) => sample !== undefined && !isDown(sample);
  const before = slots.slice(0, index).findLast(serving)?.sample;
  const after = slots.slice(index + 1).find(serving)?.sample;
  if (before === undefined || after === undefined) return false;
  return (before.instance === undefined && after.instance === undefined) || before.instance !== after.instance;
}

/** In order, those that touch as one. */
export function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && span.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else merged.push(span);
  }
  return merged;
}

/** What is left of a span without others, which are in order and do not overlap. */
export function outsideOf({ from, to }: Span, gaps: readonly Span[]): Span[] {
  const left: Span[] = [];
  let begin = from;
  for (const gap of gaps) {
    if (gap.to <= begin || gap.from >= to) continue;
    if (gap.from > begin) left.push({ from: begin, to: gap.from });
    begin = gap.to;
  }
  return begin < to ? [...left, { from: begin, to }] : left;
}
