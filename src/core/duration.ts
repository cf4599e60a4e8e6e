import ms, { type StringValue } from 'ms';
import { z } from 'zod';

/**
 * A span of time in an input: whole milliseconds, or text such as `90s`, `10m` or `2 days` (npm `ms`, the format of the
 * Temporal SDKs). Becomes milliseconds.
 */
export const Duration = z
  .union([z.int().nonnegative(), z.string()])
  .transform((value, context) => {
    const parsed = typeof value === 'number' ? value : readSpan(value);
    if (Number.isFinite(parsed) && parsed >= 0) return Math.round(parsed);
    context.addIssue(`"${value}" is no span of time; write milliseconds, or text such as "90s", "10m" or "2h"`);
    return z.NEVER;
  })
  .describe('Milliseconds, or text such as "90s", "10m" or "2h".');

/** NaN for what is no span of time; `ms` itself throws at empty and at very long text. */
function readSpan(text: string): number {
  const trimmed = text.trim();
  return trimmed === '' || trimmed.length > 100 ? NaN : (ms(trimmed as StringValue) ?? NaN);
}

/** `95_000` becomes `1m 35s`: at most two units, for people. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`;
  const seconds = Math.round(milliseconds / 1_000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}
