/**
 * When starts fall due in an open loop whose rate rises from zero to `startsPerSecond` within `rampUpMs` and then stays.
 * Times are milliseconds since the load began. Depends on the clock alone, never on what the target answers.
 */
export interface Ramp {
  readonly startsPerSecond: number;
  readonly rampUpMs: number;
}

/** Moment at which start `index` (from 0) falls due. */
export function dueAfterMs({ startsPerSecond, rampUpMs }: Ramp, index: number): number {
  const perMs = startsPerSecond / 1_000;
  // Below the ramp, rate x time is a triangle: starts = perMs * t² / (2 * rampUpMs).
  const inRamp = (perMs * rampUpMs) / 2;
  return index < inRamp ? Math.sqrt((2 * rampUpMs * index) / perMs) : rampUpMs / 2 + index / perMs;
}

/** Index of the first start that falls due at `elapsedMs` or later. */
export function firstDueAt({ startsPerSecond, rampUpMs }: Ramp, elapsedMs: number): number {
  if (elapsedMs <= 0) return 0; // also when the clock was set back
  const perMs = startsPerSecond / 1_000;
  const before = elapsedMs < rampUpMs ? (perMs * elapsedMs ** 2) / (2 * rampUpMs) : perMs * (elapsedMs - rampUpMs / 2);
  // Rounded first: what is a whole number but for the arithmetic must not become the next one.
  return Math.max(0, Math.ceil(Number(before.toFixed(6))));
}
