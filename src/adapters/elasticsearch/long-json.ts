/** JSON.rawJSON and the third argument of a reviver are of ES2026; Node has them since 21, TypeScript has no types of them yet. */
const json = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
};

/** Whole numbers beyond 2^53 keep all their digits: a search attribute may be one. */
export function stringify(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? json.rawJSON(String(part)) : part));
}

/** What {@link stringify} wrote: such numbers come back as BigInt. */
export function parse(text: string): unknown {
  return json.parse(text, (_, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
      ? BigInt(source)
      : value,
  );
}
