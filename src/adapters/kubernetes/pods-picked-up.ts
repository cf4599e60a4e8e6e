import { setTimeout as sleep } from 'node:timers/promises';
import { PreconditionError } from '../../core/errors.js';
import { type Expected, type PickedUp, readChange, REFUSED, tells } from '../dynamic-config/picked-up.js';
import { hasStatus } from './api-error.js';
import { patiently } from './api.js';
import type { Context } from './context.js';

/** A pod whose server reads a ConfigMap that was changed. */
export interface ReadingPod {
  /** Name of its node. */
  readonly node: string;
  readonly pod: string;
  readonly container: string;
  readonly running: boolean;
}

/** A ConfigMap that was changed, and what its readers are to tell of it. */
export interface ExpectedOfPods extends Pick<Expected, 'changes' | 'pollMs'> {
  /** As people are told of it. */
  readonly name: string;
  /** Whether its servers tell of changes in their output. */
  readonly tells: boolean;
  readonly pods: readonly ReadingPod[];
  /** When it was changed, ISO 8601. */
  readonly at: string;
  /** No earlier is a state final, in milliseconds from now: a file may have been another one for a moment. */
  readonly notBeforeMs?: number | undefined;
}

/**
 * Longest time until a kubelet has the new content in the files of its pods: it looks at each after 60 to 90 s (`syncFrequency` 1m, with a
 * jitter of half of it), and knows a ConfigMap by a watch, or by a cache that is a minute old where it is told so.
 */
const KUBELET_MS = 150_000;
/** What a look of a server itself may take. */
const GRACE_MS = 1_000;
const LOOK_EVERY_MS = 2_000;
/** The clocks of worker and node differ. */
const SKEW_MS = 120_000;

/**
 * Waits until the servers of pods have read their ConfigMaps, side by side: for the lines that they write for each changed key, else for
 * as long as a kubelet and two looks of a server may take. @throws PreconditionError when a server says that it could not read its file
 */
export async function waitUntilPodsPickedUp(
  context: Context,
  expected: readonly ExpectedOfPods[],
): Promise<Map<string, PickedUp>> {
  const found = await Promise.all(expected.map((one) => waitForMap(context, one)));
  return new Map(found.flat());
}

async function waitForMap(context: Context, expected: ExpectedOfPods): Promise<[string, PickedUp][]> {
  const { work, kubeletMs = KUBELET_MS } = context;
  const { name, pollMs, changes, pods, notBeforeMs = 0 } = expected;
  if (changes.length === 0) return pods.map(({ node, running }) => [node, running ? 'seen' : 'not running']);
  const logs = pods.filter(({ running }) => running).map((pod) => new PodLog(pod, expected));
  if (logs.length === 0) return pods.map(({ node }) => [node, 'not running']);
  const begin = Date.now();
  const end = begin + kubeletMs + 2 * pollMs + GRACE_MS;
  for (;;) {
    if (expected.tells) await Promise.all(logs.map((log) => log.read(context)));
    const waiting = logs.filter((log) => !log.hasAll);
    const isEarly = Date.now() - begin < notBeforeMs;
    if (waiting.length === 0 && !isEarly) break;
    if (Date.now() >= end) {
      for (const log of waiting) log.throwIfRefused();
      break;
    }
    work.signal?.throwIfAborted();
    const who = (waiting.length === 0 ? logs : waiting).map(({ node }) => node).join(', ');
    work.onProgress?.(`waiting until ${who} read ${name}; a kubelet takes a minute or two to give it to them`);
    await sleep(Math.max(1, Math.min(LOOK_EVERY_MS, end - Date.now())), undefined, { signal: work.signal });
  }
  const stateOf = new Map(logs.map((log) => [log.node, log.hasAll ? 'seen' : 'waited'] as const));
  return pods.map(({ node }) => [node, stateOf.get(node) ?? 'not running']);
}

/** What the server of one pod has told of the keys: what it told last counts. */
class PodLog {
  readonly node: string;
  readonly #pod: ReadingPod;
  readonly #expected: ExpectedOfPods;
  readonly #last = new Map<string, ReturnType<typeof readChange>>();
  #since: string;
  #refused = false;

  constructor(pod: ReadingPod, expected: ExpectedOfPods) {
    this.node = pod.node;
    this.#pod = pod;
    this.#expected = expected;
    this.#since = new Date(Date.parse(expected.at) - SKEW_MS).toISOString();
  }

  get hasAll(): boolean {
    return this.#expected.changes.every((wanted) => {
      const change = this.#last.get(wanted.key.toLowerCase());
      return change !== undefined && tells(change, wanted);
    });
  }

  async read({ api, input, work }: Context): Promise<void> {
    const path = `/api/v1/namespaces/${input.namespace}/pods/${this.#pod.pod}/log`;
    const query = { container: this.#pod.container, timestamps: true, sinceTime: this.#since };
    // Whole seconds: the API takes no parts of them.
    const text = await patiently(() => api.text(path, query), work).catch((error: unknown) => {
      if (hasStatus(error, 404) || hasStatus(error, 400)) return ''; // it has gone, or does not run just now
      throw error;
    });
    for (const line of text.split('\n')) {
      const [, time, said] = /^(\d{4}-\d\d-\d\dT\S+) (.*)$/.exec(line) ?? [];
      // By the clock of its node, from then on.
      if (time !== undefined) this.#since = time.replace(/\.\d+/, '');
      const change = readChange(said ?? line);
      if (change !== undefined) this.#last.set(change.key, change);
      this.#refused ||= line.includes(REFUSED);
    }
  }

  throwIfRefused(): void {
    if (!this.#refused) return;
    throw new PreconditionError(
      `${this.node} says that it cannot read ${this.#expected.name} ("${REFUSED}" in its log); mend it, then try again`,
      { node: this.node },
    );
  }
}
