import { z } from 'zod';
import { Duration } from '../duration.js';
import { FilePath, SecretRef } from './fields.js';

/** What people are told of. */
export const NOTICE_KINDS = ['gate', 'reminder', 'incident', 'completed', 'aborted'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Whoever knows the address of many a webhook can write to it: it may be a secret by itself. */
const Url = z.union([
  z.url({ protocol: /^https?$/, error: 'expected an address such as "https://example.com/hook"' }),
  SecretRef,
]);

const about = z
  .array(z.enum(NOTICE_KINDS))
  .min(1)
  .optional()
  .describe('What is told here: gate, reminder, incident, completed, aborted; all of it when left out.');

const Webhook = z.strictObject({
  type: z.literal('webhook').describe('A POST with JSON.'),
  url: Url.describe('Where it is sent; a secret where knowing it is enough to write there.'),
  key: SecretRef.optional().describe('Signs each message as Standard Webhooks has it (webhook-signature).'),
  about,
});

const Slack = z.strictObject({
  type: z.literal('slack').describe('An incoming webhook of Slack, Mattermost or what takes the same.'),
  url: Url.describe('Where it is sent; a secret where knowing it is enough to write there.'),
  about,
});

const Email = z.strictObject({
  type: z.literal('email').describe('Mail by SMTP.'),
  host: z.string().min(1).describe('Mail server.'),
  port: z.int().min(1).max(65_535).optional().describe('Its port; 465 with tls and 587 else, when left out.'),
  security: z
    .enum(['starttls', 'tls', 'none'])
    .default('starttls')
    .describe('starttls has to succeed; tls from the first byte; none sends in the clear.'),
  caFile: FilePath.optional().describe('Certificate authority of its host; the system’s when left out.'),
  user: z.string().min(1).optional().describe('Who logs in there; nobody when left out.'),
  password: SecretRef.optional().describe('Of that user.'),
  from: z.string().min(1).describe('Address of the sender.'),
  to: z.array(z.string().min(1)).min(1).max(50).describe('Addresses of those who are told.'),
  about,
});

const Command = z.strictObject({
  type: z.literal('command').describe('A program of yours, which gets the notice as JSON on its standard input.'),
  command: z.array(z.string().min(1)).min(1).describe('Program and arguments; run without a shell.'),
  environment: z
    .record(z.string(), z.union([z.string(), SecretRef]))
    .default({})
    .describe('What it gets beside the PATH and HOME of the worker.'),
  about,
});

export const NoticeChannel = z.discriminatedUnion('type', [Webhook, Slack, Email, Command]);
export type NoticeChannel = z.infer<typeof NoticeChannel>;

export const Notices = z.strictObject({
  channels: z.array(NoticeChannel).max(20).default([]).describe('Where they go; each by itself.'),
  remind: Duration.optional().describe('A gate or incident that is open is told again so often.'),
});
export type Notices = z.infer<typeof Notices>;
