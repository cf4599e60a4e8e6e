import { DateTime } from 'luxon';
import { DAYS, type Windows } from './input/windows.js';

/** Farther ahead nothing is looked for: who closes a whole year does not mean to wait for its end. */
const MOST_DAYS = 400;

/** Moments in milliseconds since 1970; `to` itself is outside. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** The first moment, from `at` on, at which work may begin: `at` itself within a window. Undefined when there is none in a year. */
export function nextOpening(windows: Windows, at: number): number | undefined {
  const closed = closedSpans(windows);
  const today = DateTime.fromMillis(at, { zone: windows.timeZone }).startOf('day');
  let first: number | undefined;
  // A window may have opened yesterday and go on past midnight.
  for (let days = -1; days <= MOST_DAYS; days += 1) {
    const day = today.plus({ days });
    // What opens on this day or later is later than what was found.
    if (first !== undefined && first < day.toMillis()) return first;
    for (const span of openSpans(windows, day)) {
      const moment = firstIn(span, { closed, at });
      if (moment !== undefined) first = Math.min(first ?? moment, moment);
    }
  }
  return first;
}

function openSpans({ open }: Windows, day: DateTime): Span[] {
  return open.flatMap(({ days, from, to }) => {
    if (days !== undefined && !days.some((name) => DAYS.indexOf(name) + 1 === day.weekday)) return [];
    const end = to > from ? day : day.plus({ days: 1 });
    return [{ from: atTime(day, from), to: atTime(end, to) }];
  });
}

/** A time that the clock leaves out in spring is an hour later then. */
function atTime(day: DateTime, time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return day.set({ hour, minute, second: 0, millisecond: 0 }).toMillis();
}

function closedSpans({ closed, timeZone: zone }: Windows): Span[] {
  return closed.map(({ from, to }) => ({
    from: DateTime.fromISO(from, { zone }).toMillis(),
    to: DateTime.fromISO(to, { zone }).plus({ days: 1 }).toMillis(),
  }));
}

/** The first moment of `span`, from `at` on, that is not closed. */
function firstIn(
  span: Span,
  { closed, at }: { readonly closed: readonly Span[]; readonly at: number },
): number | undefined {
  let moment = Math.max(span.from, at);
  for (;;) {
    const shut = closed.find(({ from, to }) => from <= moment && moment < to);
    if (shut === undefined) return moment < span.to ? moment : undefined;
    moment = shut.to;
  }
}
