import type { Check, Observation, Unit } from '../measuring/observation.js';
import { whyOf } from './check-texts.js';

/** A check in one line: value, bound, baseline, window, samples; and why it matters where it did not pass. */
export function checkLine(one: Check, observation: Observation, length: 'long' | 'short' = 'long'): string {
  const { id, verdict, samples, about } = one;
  const told = about === undefined ? '' : `; ${about}`;
  if (length === 'short') return `${id} ${numbersOf(one)}${told}`;
  const seconds = Math.round((Date.parse(observation.endedAt) - Date.parse(observation.startedAt)) / 1_000);
  const window = `${observation.kind} window of ${seconds} s, ${samples} samples`;
  const why = verdict === 'pass' || verdict === 'not-judged' ? '' : `. Why: ${whyOf(id)}`;
  return `${verdict}: ${id}: ${numbersOf(one)}, ${window}${told}${why}`;
}

function numbersOf({ value, bound, baseline, unit, least }: Check): string {
  const parts = [value === null ? 'not measured' : formatValue(value, unit)];
  if (bound !== null) parts.push(`${least === true ? 'at least' : 'at most'} ${formatValue(bound, unit)}`);
  if (baseline !== null) parts.push(`baseline ${formatValue(baseline, unit)}`);
  return parts.join(', ');
}

/** A number with its unit, for people. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'ratio':
      return `${(value * 100).toFixed(value > 0 && value < 0.001 ? 3 : 2)} %`;
    case 'ms':
      return value >= 10_000 ? `${(value / 1_000).toFixed(1)} s` : `${Number(value.toPrecision(3))} ms`;
    case 'seconds':
      return `${Number(value.toPrecision(3))} s`;
    case 'bytes':
      return `${(value / 1_048_576).toFixed(1)} MiB`;
    case 'cores':
      return `${value.toFixed(2)} cores`;
    case 'count':
      return String(Math.round(value * 100) / 100);
  }
}
