import { createHmac } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { PreconditionError } from '../../core/errors.js';
import type { NoticeChannel } from '../../core/input/notices.js';
import { noticeSubject, noticeText, type Notice } from '../../core/notice.js';
import { readCertificate } from '../tls-files.js';
import { runCommand } from '../run-command.js';
import { readEnvironment, readSecret } from '../secrets.js';

const TIMEOUT_MS = 30_000;

type Of<T extends NoticeChannel['type']> = Extract<NoticeChannel, { type: T }>;

/**
 * Sends one notice. It may come twice when the process dies after it was sent: its id is the same then.
 * @throws Error when it was not taken, without what is secret of the channel
 */
export async function sendNotice(channel: NoticeChannel, notice: Notice, signal?: AbortSignal): Promise<void> {
  switch (channel.type) {
    case 'webhook':
      return sendWebhook(channel, notice, signal);
    case 'slack':
      return post(await urlOf(channel), { body: JSON.stringify({ text: slackText(notice) }), signal });
    case 'email':
      return sendEmail(channel, notice);
    case 'command':
      return runNoticeCommand(channel, notice, signal);
  }
}

/** Slack reads `<…>` as links and mentions, and wants these three escaped (docs.slack.dev, formatting message text). */
function slackText(notice: Notice): string {
  return noticeText(notice).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Signed as Standard Webhooks has it: HMAC-SHA256 of `id.timestamp.body`. */
async function sendWebhook(channel: Of<'webhook'>, notice: Notice, signal: AbortSignal | undefined): Promise<void> {
  const body = JSON.stringify(notice);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers: Record<string, string> = { 'webhook-id': notice.id, 'webhook-timestamp': timestamp };
  if (channel.key !== undefined) {
    const mac = createHmac('sha256', keyBytes(await readSecret(channel.key)));
    headers['webhook-signature'] = `v1,${mac.update(`${notice.id}.${timestamp}.${body}`).digest('base64')}`;
  }
  await post(await urlOf(channel), { body, headers, signal });
}

/** A key is given as `whsec_` and Base64, or as it is. */
function keyBytes(key: string): Buffer {
  return key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key);
}

async function urlOf({ url }: Of<'webhook' | 'slack'>): Promise<string> {
  return typeof url === 'string' ? url : readSecret(url);
}

interface Message {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

async function post(url: string, { body, headers = {}, signal }: Message): Promise<void> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    // Where it leads to nobody has said.
    redirect: 'error',
  }).catch((error: unknown) => {
    throw new PreconditionError(`the webhook cannot be reached: ${causeOf(error)}`);
  });
  await response.body?.cancel();
  if (!response.ok)
    throw new PreconditionError(`the webhook answered ${response.status} ${response.statusText}`.trim());
}

/** Why a fetch failed, by the code of the system: its message may have the address. */
function causeOf(error: unknown): string {
  const { cause = error } = error as { readonly cause?: unknown }; // an Error, by the contract of fetch
  const { code, name } = cause as { readonly code?: string; readonly name?: string };
  return code ?? name ?? 'unknown reason';
}

async function sendEmail(channel: Of<'email'>, notice: Notice): Promise<void> {
  const { host, security, caFile, user, password, from, to } = channel;
  const { port = security === 'tls' ? 465 : 587 } = channel;
  const ca = await readCertificate(caFile);
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(ca === undefined ? {} : { tls: { ca } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === undefined ? {} : { auth: { user, pass: password === undefined ? '' : await readSecret(password) } }),
  });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject: noticeSubject(notice),
      text: noticeText(notice),
      messageId: `<${notice.id}@temporal-upgrade>`,
    });
  } finally {
    transport.close();
  }
}

async function runNoticeCommand(
  { command, environment }: Of<'command'>,
  notice: Notice,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [program = '', ...args] = command;
  const { env, secrets } = await readEnvironment(environment);
  await runCommand(program, args, { env, secrets, input: JSON.stringify(notice), signal, timeoutMs: TIMEOUT_MS });
}
