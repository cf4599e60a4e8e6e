import type { Client, ClientOptions, errors } from '@opensearch-project/opensearch';
import { z } from 'zod';
import { messageOf, PreconditionError } from '../../core/errors.js';
import type { ElasticsearchStore } from '../../core/input/input.js';
import { once } from '../../core/once.js';
import { readSecret } from '../secrets.js';
import { stringify } from './long-json.js';
import { readCertificate } from '../tls-files.js';

/** Loaded where there is such a store: it is hundreds of files. */
const loadLibrary = once(() => import('@opensearch-project/opensearch'));

/** A change of a mapping waits until all nodes have it, for 30 s by default. */
const QUESTION_TIMEOUT_MS = 60_000;

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD';

export interface Question {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object | string | undefined;
}

/** A session with Elasticsearch or OpenSearch; both answer these questions alike. */
export class SearchClient {
  constructor(
    private readonly client: Client,
    readonly index: string,
  ) {}

  get<T>(path: string, shape: z.ZodType<T>, query?: Question['query']): Promise<T> {
    return this.send('GET', { path, ...(query === undefined ? {} : { query }) }, shape);
  }

  /** The answer, read by `shape`. @throws ResponseError of the library, and Error when it is of another shape */
  async send<T>(method: Method, { path, query, body }: Question, shape: z.ZodType<T>): Promise<T> {
    const answer = await this.client.transport.request({
      method,
      path,
      ...(query === undefined ? {} : { querystring: { ...query } }),
      ...(body === undefined ? {} : { body }),
    });
    const parsed = shape.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw new Error(`${method} ${path} was answered otherwise than expected: ${z.prettifyError(parsed.error)}`);
  }

  /** Lines of JSON, as `_bulk` takes them. */
  async sendLines<T>(path: string, lines: readonly object[], shape: z.ZodType<T>): Promise<T> {
    const answer = await this.client.transport.request({
      method: 'POST',
      path,
      bulkBody: lines.map((line) => `${stringify(line)}\n`).join(''),
    });
    return shape.parse(answer.body);
  }

  /** The answer, where there is something; else undefined. */
  async find<T>(path: string, shape: z.ZodType<T>): Promise<T | undefined> {
    try {
      return await this.get(path, shape);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Whether something is there. */
  async has(path: string): Promise<boolean> {
    return (await this.find(path, z.object({}))) !== undefined;
  }
}

/** Whether the answer says that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return isRefusal(error) && error.statusCode === 404;
}

/** Whether the server knows no such question at all, as one without the plugin or the licence for it. */
export function isUnknownQuestion(error: unknown): boolean {
  if (isMissing(error)) return true;
  return isRefusal(error) && /no handler found|incorrect HTTP method/i.test(reasonOf(error));
}

/**
 * Runs `work` with connections of its own and ends them whatever happens.
 * @throws PreconditionError in the words of the operator when it cannot be reached, entered or read
 */
export async function withSearch<T>(
  input: ElasticsearchStore,
  work: (client: SearchClient) => Promise<T>,
  /** For each question, where an answer is wanted soon or not at all. */
  timeoutMs?: number,
): Promise<T> {
  const library = await loadLibrary();
  const client = new library.Client(await optionsOf(input, timeoutMs));
  try {
    return await work(new SearchClient(client, input.index));
  } catch (error) {
    throw asPreconditionError(error, input);
  } finally {
    await client.close().catch(() => undefined);
  }
}

async function optionsOf(input: ElasticsearchStore, timeoutMs: number | undefined): Promise<ClientOptions> {
  const { url, user, password, apiKey } = input;
  const secret = password === undefined ? '' : await readSecret(password);
  const ssl = await tlsOptions(input);
  return {
    node: url,
    requestTimeout: timeoutMs ?? QUESTION_TIMEOUT_MS,
    enableLongNumeralSupport: true, // as BigInt: a search attribute may be one
    maxRetries: timeoutMs === undefined ? 3 : 0,
    ...(user === undefined ? {} : { auth: { username: user, password: secret } }),
    ...(apiKey === undefined ? {} : { headers: { authorization: `ApiKey ${await readSecret(apiKey)}` } }),
    ...(ssl === undefined ? {} : { ssl }),
  };
}

async function tlsOptions({ tls }: ElasticsearchStore): Promise<ClientOptions['ssl']> {
  if (tls === undefined) return undefined;
  if (tls === true) return { rejectUnauthorized: true };
  const { serverCaFile, clientCertFile, clientKeyFile, serverName } = tls;
  const [ca, cert, key] = await Promise.all([serverCaFile, clientCertFile, clientKeyFile].map(readCertificate));
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** For people: `index "temporal_visibility_v1" at http://10.0.0.1:9200`. */
export function placeText({ index, url }: Pick<ElasticsearchStore, 'index' | 'url'>): string {
  return `index "${index}" at ${url}`;
}

function asPreconditionError(error: unknown, input: ElasticsearchStore): unknown {
  if (error instanceof PreconditionError) return error;
  const { url, index, user } = input;
  const where = `the search server at ${url} (index "${index}"${user === undefined ? '' : `, user "${user}"`})`;
  const say = (reason: string, text: string) =>
    new PreconditionError(`${where} ${text}`, { url, index, reason }, { cause: error });
  if (isRefusal(error)) {
    const said = reasonOf(error);
    switch (error.statusCode) {
      case 401:
        return say('wrong-password', `refuses who asks (${said}); set or correct "user" and "password", or "apiKey"`);
      case 403:
        return say(
          'no-rights',
          `gives its user no right to do this: ${said}; grant it, or use the user of the Temporal server`,
        );
      case 404:
        return say(
          'no-database',
          `has no such index (${said}); correct "index", or look which one the server's configuration names`,
        );
      default:
        return say('refused', `answers: ${said}`);
    }
  }
  if (nameOf(error) === 'TimeoutError') return say('timeout', 'did not answer in time');
  if (nameOf(error) === 'ConnectionError' || nameOf(error) === 'NoLivingConnectionsError') {
    const text = messageOf(error);
    return /certificate|SSL|TLS|altnames|socket hang up|EPROTO/i.test(text)
      ? say('tls', `cannot be reached with these TLS settings: ${text}; correct "url" and "tls" of the store`)
      : say(
          'unreachable',
          `cannot be reached: ${text}; is it running, and is the way open from the host of this worker?`,
        );
  }
  return error;
}

/** The errors of the library by their names, as it is not loaded here. */
function isRefusal(error: unknown): error is errors.ResponseError {
  return nameOf(error) === 'ResponseError';
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

const Refusal = z.object({
  error: z.union([z.string(), z.object({ type: z.string().optional(), reason: z.string().nullish() })]),
});

/** What a refusal says: `mapper [X] cannot be changed from type [keyword] to [text]`. */
function reasonOf(error: errors.ResponseError): string {
  const parsed = Refusal.safeParse(error.body);
  if (!parsed.success) return messageOf(error);
  const said = parsed.data.error;
  return typeof said === 'string' ? said : (said.reason ?? said.type ?? messageOf(error));
}
