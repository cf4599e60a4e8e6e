import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { codeOf, messageOf, UnreachableError } from '../../core/errors.js';
import { journaled } from '../command-journal.js';
import type { Work } from '../store.js';
import { ApiError } from './api-error.js';
import { type KubeConnection, loadKubeConfig, loadLibrary } from './connection.js';

const ANSWER_TIMEOUT_MS = 15_000;
/** An API server that is upgraded itself, or fails over, is away for about a minute. */
export const PATIENCE_MS = 90_000;
const ASK_AGAIN_MS = 1_000;
/** Who is told to have written a field. */
export const FIELD_MANAGER = 'temporal-upgrade';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Kinds of patch: of the named fields, or of those that we own by server-side apply; the dry run asks whether that would be taken. */
export type PatchKind = 'merge' | 'apply' | 'apply-dry-run';

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** The API server of a Kubernetes cluster, as far as it is used here. What it answers is parsed by whoever asks. */
export interface KubeApi {
  /** `as`: of each object its name, labels and the like alone; the server sends nothing else, so that none of a Secret comes here. */
  get(path: string, query?: Query, as?: 'metadata'): Promise<unknown>;
  /** As text, such as a log. */
  text(path: string, query?: Query): Promise<string>;
  post(path: string, body: unknown): Promise<unknown>;
  /** Changes an object, patiently: written twice it is the same. */
  patch(path: string, body: unknown, kind: PatchKind, work?: Work): Promise<unknown>;
  delete(path: string, body?: unknown): Promise<void>;
  /** Calls `onEvent` for each event until the server ends the watch, something fails, or `signal` is aborted. */
  watch(path: string, query: Query, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
}

const Status = z.object({ message: z.string().optional(), reason: z.string().optional() });

const CONTENT_TYPES: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
  'apply-dry-run': 'application/apply-patch+yaml',
};

/** A list without what is in its objects (reference of the API, "Receiving resources as metadata"). */
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * The API server that a connection leads to. Its methods throw UnreachableError, ApiError for an answer that is no success, and
 * PreconditionError when the connection cannot be read.
 */
export function createKubeApi(connection: KubeConnection): KubeApi {
  let opened: ReturnType<typeof open> | undefined;
  // Read anew after a failure: a file may be put right meanwhile.
  const openOnce = () =>
    (opened ??= open(connection).catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));

  async function send(method: Method, path: string, { query = {}, body, type, accept }: Sending = {}): Promise<string> {
    const { library, config, server, http } = await openOnce();
    const url = new URL(`${server.replace(/\/+$/, '')}${path}`);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
    const context = new library.RequestContext(url.toString(), library.HttpMethod[method]);
    let status: number;
    let text: string;
    try {
      await config.applySecurityAuthentication(context);
      context.setSignal(AbortSignal.timeout(ANSWER_TIMEOUT_MS));
      if (accept !== undefined) context.setHeaderParam('Accept', accept);
      if (body !== undefined) {
        context.setHeaderParam('Content-Type', type ?? 'application/json');
        context.setBody(JSON.stringify(body));
      }
      const response = await http.send(context).toPromise();
      status = response.httpStatusCode;
      text = await response.body.text();
    } catch (cause) {
      throw new UnreachableError(
        `the API server ${server} cannot be reached: ${reasonOf(cause)}`,
        { server },
        { cause },
      );
    }
    if (status >= 200 && status < 300) return text;
    throw refusal(status, text, `${method} ${path}`);
  }

  const json = async (method: Method, path: string, sending?: Sending): Promise<unknown> =>
    JSON.parse(await send(method, path, sending));

  return {
    get: (path, query, as) => json('GET', path, { query, ...(as === undefined ? {} : { accept: METADATA }) }),
    text: (path, query) => send('GET', path, { query }),
    post: (path, body) => json('POST', path, { body }),
    patch: (path, body, kind, work) => {
      const query = {
        fieldManager: FIELD_MANAGER,
        ...(kind === 'merge' ? {} : { force: true }),
        ...(kind === 'apply-dry-run' ? { dryRun: 'All' } : {}),
      };
      const patch = () => json('PATCH', path, { query, body, type: CONTENT_TYPES[kind] });
      if (kind === 'apply-dry-run') return patiently(patch, work);
      return journaled(`PATCH ${path} ${JSON.stringify(body)}`, () => patiently(patch, work));
    },
    async delete(path, body) {
      await journaled(`DELETE ${path}`, () => send('DELETE', path, { body }));
    },
    async watch(path, query, onEvent, signal) {
      const { library, config } = await openOnce();
      const watch = new library.Watch(config);
      await new Promise<void>((resolve, reject) => {
        const done = (error: unknown): void => {
          if (error === null || error === undefined || signal.aborted) resolve();
          else reject(new UnreachableError(`the watch of ${path} broke: ${reasonOf(error)}`));
        };
        watch
          .watch(path, { ...query }, (type, object: unknown) => onEvent({ type, object }), done)
          .then((controller) => {
            if (signal.aborted) controller.abort();
            signal.addEventListener('abort', () => controller.abort(), { once: true });
          }, reject);
      });
    },
  };
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

async function open(connection: KubeConnection) {
  const [library, config] = [await loadLibrary(), await loadKubeConfig(connection)];
  const server = config.getCurrentCluster()?.server ?? '';
  return { library, config, server, http: new library.IsomorphicFetchHttpLibrary() };
}

interface Sending {
  readonly query?: Query | undefined;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
}

/** Does what may be done twice, again and again while the API server is away or busy. @throws what it threw last */
export async function patiently<T>(run: () => Promise<T>, work?: Work): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      work?.signal?.throwIfAborted();
      if (!isPassing(error) || Date.now() >= end) throw error;
      work?.onProgress?.(`${messageOf(error)}; asked again`);
      await sleep(ASK_AGAIN_MS, undefined, { signal: work?.signal });
    }
  }
}

/** Whether waiting may mend it. */
export function isPassing(error: unknown): boolean {
  return error instanceof UnreachableError;
}

/** An answer that is no success. One that is busy, or whose store has no leader, is as good as away. */
function refusal(status: number, text: string, what: string): Error {
  const { message, reason = String(status) } = Status.safeParse(parseJson(text)).data ?? {};
  const said = message ?? text.slice(0, 300);
  if (status === 429 || status >= 500)
    return new UnreachableError(`the API server could not do ${what} (${status}): ${said}`, { status, reason });
  const hint = status === 403 ? '. Give the worker that right: service/kubernetes/role.yaml' : '';
  return new ApiError(status, reason, `the API server refused ${what} (${status}): ${said}${hint}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch failed` says nothing; what lies below it does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return codeOf(cause) ?? messageOf(cause);
}
