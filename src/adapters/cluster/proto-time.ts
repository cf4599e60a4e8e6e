interface SecondsAndNanos {
  readonly seconds?: number | { toString(): string } | null;
  readonly nanos?: number | null;
}

/** Milliseconds since 1970 of a protobuf timestamp; null for none, and for Go's and protobuf's zero. */
export function momentOf(timestamp: SecondsAndNanos | null | undefined): number | null {
  const milliseconds = millisecondsOf(timestamp);
  return milliseconds === null || milliseconds <= 0 ? null : milliseconds;
}

/** Milliseconds of a protobuf duration; null for none. */
export function millisecondsOf(duration: SecondsAndNanos | null | undefined): number | null {
  if (duration === null || duration === undefined) return null;
  return Number(duration.seconds ?? 0) * 1_000 + Math.floor((duration.nanos ?? 0) / 1_000_000);
}
