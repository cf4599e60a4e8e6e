import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { sendNotice } from '../../../src/adapters/notices/send-notice.js';
import { messageOf } from '../../../src/core/errors.js';
import { NoticeChannel } from '../../../src/core/input/notices.js';
import type { Notice } from '../../../src/core/notice.js';
import { makeCertificates, type Certificates } from '../../../src/lab/certificates.js';
import { WebhookReceiver } from '../../helpers/webhook-receiver.js';

const NOTICE: Notice = {
  id: 'upgrade-prod-notice-1',
  kind: 'gate',
  rolloutId: 'upgrade-prod',
  at: '2026-01-01T10:00:00.000Z',
  cluster: 'prod',
  from: '1.30.7',
  to: '1.31.2',
  gate: 'live/1.31.2/schema',
  evidence: ['default schema 1.18 → 1.19', 'backup of default read back'],
  command: `temporal workflow signal --workflow-id upgrade-prod --name approve --input '{"gate":"live/1.31.2/schema"}'`,
};
const TEXT = [
  'prod 1.30.7 → 1.31.2: upgrade-prod waits for a decision',
  '',
  'live/1.31.2/schema',
  '',
  '- default schema 1.18 → 1.19',
  '- backup of default read back',
  '',
  NOTICE.command,
].join('\n');
const send = (channel: unknown) => sendNotice(NoticeChannel.parse(channel), NOTICE);
/** Why it was not taken. */
const failure = (channel: unknown) => send(channel).then(() => 'it was taken', messageOf);

let folder: string;
let receiver: WebhookReceiver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'notices-'));
  receiver = await WebhookReceiver.start();
});
afterEach(async () => {
  await receiver.stop();
  await rm(folder, { recursive: true, force: true });
});

async function secret(name: string, value: string): Promise<{ file: string }> {
  const file = join(folder, name);
  await writeFile(file, value);
  return { file };
}

describe('a webhook', () => {
  test('gets the notice as JSON, signed with the key so that it can be checked', async () => {
    await send({ type: 'webhook', url: await secret('url', receiver.url), key: await secret('key', 'k3y') });
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    expect(JSON.parse(body)).toEqual(NOTICE);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': NOTICE.id });
    const timestamp = String(headers['webhook-timestamp']);
    expect(Math.abs(Number(timestamp) - Date.now() / 1_000)).toBeLessThan(60);
    const mac = createHmac('sha256', 'k3y').update(`${NOTICE.id}.${timestamp}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
  });

  test('takes a key of Standard Webhooks by its bytes', async () => {
    const key = `whsec_${Buffer.from('bytes of a key').toString('base64')}`;
    await send({ type: 'webhook', url: receiver.url, key: await secret('key', key) });
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    const signed = `${NOTICE.id}.${String(headers['webhook-timestamp'])}.${body}`;
    const mac = createHmac('sha256', 'bytes of a key').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${mac}`);
  });

  test('without a key is not signed', async () => {
    await send({ type: 'webhook', url: receiver.url });
    expect(receiver.received[0]?.headers).not.toHaveProperty('webhook-signature');
  });

  test.each([
    [500, 'the webhook answered 500 Internal Server Error'],
    [404, 'the webhook answered 404 Not Found'],
    [302, /^the webhook cannot be reached/],
  ])('that answers %d has not taken it, and its address is not told', async (status, why) => {
    receiver.status = status;
    const told = await failure({ type: 'webhook', url: receiver.url });
    expect(told).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
    expect(told).not.toContain('a-secret-path');
  });

  test('that is not there is told without its address', async () => {
    const { url } = receiver;
    await receiver.stop();
    expect(await failure({ type: 'webhook', url })).toBe('the webhook cannot be reached: ECONNREFUSED');
    receiver = await WebhookReceiver.start();
  });
});

test('Slack gets it as text', async () => {
  await send({ type: 'slack', url: receiver.url });
  expect(receiver.messages).toEqual([{ text: TEXT }]);
});

test('nothing of it is a link or a mention to Slack', async () => {
  const evidence = ['<!channel> a & b <https://evil.example|click>'];
  await sendNotice(NoticeChannel.parse({ type: 'slack', url: receiver.url }), { ...NOTICE, evidence });
  const [{ text = '' } = {}] = receiver.messages as readonly { readonly text?: string }[];
  expect(text).toContain('- &lt;!channel&gt; a &amp; b &lt;https://evil.example|click&gt;');
  expect(text).not.toMatch(/[<>]/);
});

describe('a mail', () => {
  interface Mail {
    /** Whether it came over TLS. */
    readonly isSecure: boolean;
    readonly from: string;
    readonly to: readonly string[];
    readonly text: string;
  }
  const mails: Mail[] = [];
  let server: SMTPServer | undefined;
  beforeEach(() => void mails.splice(0));
  afterEach(async () => {
    await new Promise<void>((closed) => (server === undefined ? closed() : server.close(() => closed())));
    server = undefined;
  });

  async function mailServer(options: SMTPServerOptions): Promise<object> {
    server = new SMTPServer({
      onAuth: ({ username, password }, _, done) =>
        username === 'ada' && password === 'pa55' ? done(null, { user: username }) : done(new Error('wrong password')),
      onData: (stream, { envelope, secure }, done) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
        stream.on('end', () => {
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          mails.push({ isSecure: secure, from, to: envelope.rcptTo.map(({ address }) => address), text });
          done();
        });
      },
      ...options,
    });
    // A client that breaks a handshake off is an error to the server, and what the test is about.
    server.on('error', () => undefined);
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo; // of a TCP server that listens
    const [from, to] = ['upgrades@example.com', ['ada@example.com', 'ben@example.com']];
    return { type: 'email', host: '127.0.0.1', port, security: 'none', from, to };
  }

  test('goes to everybody, with the subject as its first line', async () => {
    await send(await mailServer({ authOptional: true, disabledCommands: ['STARTTLS'] }));
    expect(mails).toMatchObject([{ from: 'upgrades@example.com', to: ['ada@example.com', 'ben@example.com'] }]);
    const text = mails[0]?.text ?? '';
    expect(text).toMatch(
      /^Subject: =\?UTF-8\?Q\?prod_1=2E30=2E7_=E2=86=92_1=2E31=2E2=3A_\?=\s+=\?UTF-8\?Q\?upgrade-prod_waits/m,
    );
    expect(text).toContain(`Message-ID: <${NOTICE.id}@temporal-upgrade>`);
  });

  test('is sent with a user and a password that is read from where it is named', async () => {
    const channel = await mailServer({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
    await send({ ...channel, user: 'ada', password: await secret('password', 'pa55\n') });
    expect(mails).toHaveLength(1);
    const wrong = await failure({ ...channel, user: 'ada', password: await secret('password', 'wr0ng-one') });
    expect(wrong).toMatch(/wrong password/);
    expect(wrong).not.toContain('wr0ng-one');
  });

  test('is not sent in the clear unless that was asked for', async () => {
    const channel = await mailServer({ authOptional: true, disabledCommands: ['STARTTLS'] });
    expect(await failure({ ...channel, security: 'starttls' })).toMatch(/TLS/);
    expect(mails).toEqual([]);
  });

  describe('over TLS', () => {
    let place: string;
    let made: Certificates;
    let keys: { readonly cert: Buffer; readonly key: Buffer };
    beforeAll(async () => {
      place = await mkdtemp(join(tmpdir(), 'mail-tls-'));
      made = await makeCertificates(place);
      keys = { cert: await readFile(made.serverCert), key: await readFile(made.serverKey) };
    });
    afterAll(() => rm(place, { recursive: true, force: true }));

    const LOGIN = { user: 'ada' };
    const withPassword = async () => ({ ...LOGIN, password: await secret('password', 'pa55') });

    test.each(['starttls', 'tls'] as const)('%s: password and mail go encrypted', async (security) => {
      const channel = await mailServer({ ...keys, secure: security === 'tls' });
      await send({ ...channel, security, caFile: made.ca, ...(await withPassword()) });
      expect(mails).toMatchObject([{ isSecure: true, to: ['ada@example.com', 'ben@example.com'] }]);
    });

    test.each(['starttls', 'tls'] as const)('%s: a host that nobody vouches for gets neither', async (security) => {
      const seen: string[] = [];
      const onAuth: SMTPServerOptions['onAuth'] = ({ username }, _, done) => {
        seen.push(String(username));
        done(new Error('not asked'));
      };
      const channel = await mailServer({ ...keys, secure: security === 'tls', onAuth });
      const told = await failure({ ...channel, security, ...(await withPassword()) });
      expect(told).toMatch(/certificate/);
      expect(told).not.toContain('pa55');
      expect([seen, mails]).toEqual([[], []]);
    });

    test('a server that speaks no TLS at once is told', async () => {
      const channel = await mailServer({ authOptional: true, disabledCommands: ['STARTTLS'] });
      expect(await failure({ ...channel, security: 'tls', caFile: made.ca })).toMatch(/SSL|TLS/);
      expect(mails).toEqual([]);
    });

    test('a file of an authority that is not there is named', async () => {
      const channel = await mailServer({ ...keys, authOptional: true });
      expect(await failure({ ...channel, security: 'starttls', caFile: join(place, 'none.pem') })).toContain(
        'none.pem',
      );
    });
  });

  test('a mail server that is away is told, and not waited for', async () => {
    const channel = await mailServer({ authOptional: true, disabledCommands: ['STARTTLS'] });
    const gone = server;
    server = undefined;
    await new Promise<void>((closed) => gone?.close(() => closed()));
    expect(await failure(channel)).toMatch(/ECONNREFUSED/);
  });
});

describe('a command', () => {
  test('gets it as JSON on its standard input, and its environment', async () => {
    const out = join(folder, 'out');
    const environment = { OUT: out, TOKEN: await secret('token', 't0ken-of-mine') };
    await send({ type: 'command', command: ['sh', '-c', 'cat > "$OUT"; printf %s "$TOKEN" >> "$OUT"'], environment });
    expect(await readFile(out, 'utf8')).toBe(`${JSON.stringify(NOTICE)}t0ken-of-mine`);
  });

  test('that fails is told with what it said, its secrets blackened', async () => {
    const environment = { TOKEN: await secret('token', 't0ken-of-mine') };
    const told = await failure({ type: 'command', command: ['sh', '-c', 'echo "no $TOKEN" >&2; exit 3'], environment });
    expect(told).toBe('sh ended with exit code 3:\nno ***');
  });
});

test('a secret that is not there is named', async () => {
  expect(await failure({ type: 'slack', url: { file: join(folder, 'none') } })).toContain(join(folder, 'none'));
});
