import { IANAZone } from 'luxon';
import { z } from 'zod';

/** ISO 8601's order: Monday is 1. */
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "22:00"');
const CalendarDate = z.iso.date('expected a date such as "2026-12-24"');

/** When work may begin. */
export const Windows = z.strictObject({
  timeZone: z
    .string()
    .refine((zone) => IANAZone.isValidZone(zone), 'expected a time zone such as "Europe/Berlin" or "UTC"')
    .describe('Time zone of all that follows, such as "Europe/Berlin".'),
  open: z
    .array(
      z
        .strictObject({
          days: z.array(z.enum(DAYS)).min(1).optional().describe('Days on which it opens; every day when left out.'),
          from: TimeOfDay.describe('Time of day, such as "22:00".'),
          to: TimeOfDay.describe('On the next day where that is not later than "from".'),
        })
        .refine(({ from, to }) => from !== to, { path: ['to'], message: 'is the time at which it opens' }),
    )
    .min(1)
    .max(50)
    .describe('When it is open.'),
  closed: z
    .array(
      z
        .strictObject({
          from: CalendarDate.describe('First day, such as "2026-12-24".'),
          to: CalendarDate.describe('Last day.'),
        })
        .refine(({ from, to }) => from <= to, { path: ['to'], message: 'is before "from"' }),
    )
    .max(100)
    .default([])
    .describe('Days on which nothing begins, the last one included.'),
});
export type Windows = z.infer<typeof Windows>;
