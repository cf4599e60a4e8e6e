/** One entry of a log, as the SDK gives it. */
export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly timestampNanos: bigint;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** An entry as one line of JSON: `at` (ISO 8601), `level`, `message`, and what else it carries. */
export function jsonLine({ level, message, timestampNanos, meta = {} }: LogEntry): string {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  // Its own three fields are never hidden by others of the same name.
  return JSON.stringify({ ...meta, at, level: level.toLowerCase(), message }, plain);
}

/** Errors with their causes, whole numbers of any size. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { ...value, name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
