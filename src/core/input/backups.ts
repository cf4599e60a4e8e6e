import { z } from 'zod';
import { Duration } from '../duration.js';
import { FilePath, SecretRef } from './fields.js';

/** Program and arguments of the operator, run without a shell. */
const Words = z.array(z.string().min(1)).min(1);

const environment = z
  .record(z.string(), z.union([z.string(), SecretRef]))
  .default({})
  .describe('What they get beside the PATH and HOME of the worker.');

const Encryption = z.strictObject({
  encrypt: Words.describe('Reads a backup on its standard input and writes it encrypted to its standard output.'),
  decrypt: Words.describe('The way back, tried on each backup as soon as it was made.'),
  environment,
});
export type Encryption = z.infer<typeof Encryption>;

const ObjectStore = z
  .strictObject({
    endpoint: z
      .url({ protocol: /^https?$/, error: 'expected an address such as "https://minio:9000"' })
      .optional()
      .describe('Where it is reached; that of AWS in the region when left out.'),
    region: z.string().min(1).default('us-east-1').describe('Its region; most others than AWS take any.'),
    bucket: z.string().min(3).describe('Name of the bucket; it has to be there.'),
    prefix: z
      .string()
      .regex(/^([^/]+\/)*$/, 'expected nothing, or folders that each end with "/", such as "temporal/prod/"')
      .default('')
      .describe('What the name of every object begins with.'),
    pathStyle: z.boolean().default(false).describe('true where the bucket is no part of the host name, as with MinIO.'),
    accessKeyId: SecretRef.optional().describe('Left out: what the AWS SDK finds, such as the role of the instance.'),
    secretAccessKey: SecretRef.optional().describe('Of that key.'),
    caFile: FilePath.optional().describe('Certificate authority of its host; the system’s when left out.'),
    keepLocal: z
      .boolean()
      .default(true)
      .describe('Whether the backups stay in backupDir as well; else they are brought back for a restore.'),
  })
  .refine(({ accessKeyId, secretAccessKey }) => (accessKeyId === undefined) === (secretAccessKey === undefined), {
    path: ['secretAccessKey'],
    message: 'an access key and its secret are given together',
  });
export type ObjectStoreInput = z.infer<typeof ObjectStore>;

const Snapshots = z.strictObject({
  default: Words.optional().describe(
    'For the default store. {name} is a name for the snapshot, the same in every try.',
  ),
  visibility: Words.optional().describe('For the visibility store.'),
  secondaryVisibility: Words.optional().describe('For the second one, where there is one.'),
  timeout: Duration.prefault(7_200_000).describe('How long one may take.'),
  environment,
});
export type SnapshotCommands = z.infer<typeof Snapshots>;

const Keep = z.strictObject({
  hops: z.int().min(1).default(4).describe('Backups of so many hops are always kept.'),
  days: z.int().min(0).default(30).describe('Others are removed when they are older than so many days.'),
});
export type KeepBackups = z.infer<typeof Keep>;

/** What becomes of the backups of a target, beside being written into its folder. */
export const BackupsInput = z.strictObject({
  encryption: Encryption.optional().describe('Commands of yours; backups lie unencrypted when left out.'),
  objectStore: ObjectStore.optional().describe('S3, or what speaks like it: every backup is kept there too.'),
  snapshots: Snapshots.optional().describe(
    'Commands that take a snapshot of a managed database in place of a dump, wait until it is whole, and print its id as last line.',
  ),
  keep: Keep.optional().describe('What is removed when a roll-out has completed; nothing when left out.'),
});
export type BackupsInput = z.infer<typeof BackupsInput>;
