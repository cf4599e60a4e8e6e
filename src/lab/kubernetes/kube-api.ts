import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** How an API server is reached, by somebody who may do all. */
export interface KubeAccess {
  readonly server: string;
  readonly caFile: string;
  readonly token: string;
}

/** What a watch tells. */
const WatchEvent = z.object({ type: z.string(), object: z.unknown() });
export type WatchEvent = z.infer<typeof WatchEvent>;

/** The API server's answer to a request that it refused. */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const PATCH = 'application/strategic-merge-patch+json';
const ANSWERS_WITHIN_MS = 15_000;
/** The API server ends a watch after this long; the next one then begins. */
const WATCH_SECONDS = 300;

/**
 * The few calls that the lab's own node makes. Not the library that the driver uses: what tests the driver is not to have its
 * mistakes.
 */
export class KubeApi {
  private constructor(
    private readonly access: KubeAccess,
    private readonly agent: Agent,
  ) {}

  /** @throws Error when the file of the authority cannot be read */
  static async connect(access: KubeAccess): Promise<KubeApi> {
    return new KubeApi(access, new Agent({ keepAlive: true, ca: await readFile(access.caFile) }));
  }

  /** An object, or text where the server gives text. @throws KubeApiError when the server refuses; Error when it cannot be reached */
  get(path: string): Promise<unknown> {
    return this.call('GET', path);
  }

  /** @throws KubeApiError when the server refuses; Error when it cannot be reached */
  create(path: string, body: object): Promise<unknown> {
    return this.call('POST', path, body);
  }

  /** A strategic merge. @throws KubeApiError when the server refuses; Error when it cannot be reached */
  patch(path: string, body: object): Promise<unknown> {
    return this.call('PATCH', path, body);
  }

  /** @throws KubeApiError when the server refuses; Error when it cannot be reached */
  delete(path: string, body: object): Promise<unknown> {
    return this.call('DELETE', path, body);
  }

  /** Tells each event since `resourceVersion` until the server ends the watch. @throws Error when the connection breaks */
  async watch(
    path: string,
    options: {
      readonly resourceVersion: string;
      readonly onEvent: (event: WatchEvent) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${options.resourceVersion}`;
    const response = await this.send('GET', `${path}?${query}`, { signal: options.signal });
    if (response.statusCode !== 200) throw await refusal(response, path);
    for await (const line of createInterface({ input: response })) options.onEvent(WatchEvent.parse(JSON.parse(line)));
  }

  /** Closes its connections. */
  close(): void {
    this.agent.destroy();
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const response = await this.send(method, path, { body, signal });
    const { statusCode = 0 } = response;
    if (statusCode >= 300) throw await refusal(response, path);
    const answer = await text(response);
    return response.headers['content-type']?.includes('json') === true ? JSON.parse(answer) : answer;
  }

  private send(
    method: string,
    path: string,
    { body, signal }: { readonly body?: object | undefined; readonly signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const content = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      'content-length': Buffer.byteLength(content), // Node sends none of itself with a DELETE
      authorization: `Bearer ${this.access.token}`,
      'content-type': method === 'PATCH' ? PATCH : 'application/json',
    };
    const sent = request(new URL(path, this.access.server), { method, headers, agent: this.agent, signal }, resolve);
    sent.once('error', reject);
    sent.end(content);
    return promise;
  }
}

async function refusal(response: IncomingMessage, path: string): Promise<KubeApiError> {
  const { statusCode = 0 } = response;
  const body = await text(response);
  return new KubeApiError(statusCode, `the API server answered ${statusCode} for ${path}: ${body.slice(0, 500)}`);
}
