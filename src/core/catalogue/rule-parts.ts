import { z } from 'zod';
import { compareVersions, isServerVersion } from '../version.js';

/** Parts that all rules of the catalogue are made of. */

export const Version = z.string().refine(isServerVersion, 'expected a version in full, such as "1.28.1"');
export const Source = z.string().min(1);

/** Server versions from `from` (included) up to `before` (excluded, or without end). */
export const ServerRange = z
  .strictObject({ from: Version, before: Version.optional() })
  .refine(({ from, before }) => before === undefined || compareVersions(from, before) < 0, {
    path: ['before'],
    message: 'is not above "from"',
  });
export type ServerRange = z.infer<typeof ServerRange>;

/** Whether a server version lies in a range. */
export function isIn(version: string, { from, before }: ServerRange): boolean {
  return compareVersions(version, from) >= 0 && (before === undefined || compareVersions(version, before) < 0);
}
