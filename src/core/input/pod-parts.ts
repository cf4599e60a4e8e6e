import { z } from 'zod';
import { reportPlaceholders } from './driver-parts.js';
import { ServerVersion } from './fields.js';

/** Fields that drivers of containers share. */

export const Port = z.int().min(1).max(65_535);

/** gRPC ports as Temporal's images have them. */
export const PORTS = {
  frontend: 7233,
  'internal-frontend': 7236,
  history: 7234,
  matching: 7235,
  worker: 7239,
} as const;

export const Images = z.strictObject({
  repository: z
    .string()
    .min(1)
    .optional()
    .describe('Where the image of the server is; that of the present image when left out.'),
  tag: z
    .string()
    .superRefine(reportPlaceholders({ allowed: ['version'], needed: 'version' }))
    .default('{version}')
    .describe('Tag of each version: "{version}-ours".'),
  versions: z
    .record(ServerVersion, z.string().min(1))
    .default({})
    .describe('Tag or digest ("sha256:…") of a version, where its tag does not tell it: {"1.31.2": "2026-08-stable"}.'),
});
export type Images = z.infer<typeof Images>;
