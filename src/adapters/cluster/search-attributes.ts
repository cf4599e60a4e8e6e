import { messageOf } from '../../core/errors.js';
import type {
  AttributeFacts,
  NamespaceAttributes,
  SearchAttributes,
} from '../../core/running-work/search-attributes.js';
import { forEachAtOnce } from '../at-once.js';
import type { Work } from '../store.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import { countRunning, listNamespaces } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

const AT_ONCE = 4;
/** Each takes a look at every closed workflow of its namespace; of the others names and types are compared. */
const MOST_QUESTIONS = 200;
const CALL_TIMEOUT_MS = 10_000;
/** Of `temporal.api.enums.v1.IndexedValueType`. */
const TYPES = ['Unspecified', 'Text', 'Keyword', 'Int', 'Double', 'Bool', 'Datetime', 'KeywordList'];

/** Names and types of the custom search attributes of a namespace, by the names that its users give them. */
export async function readAttributeTypes(target: TargetConnection, namespace: string): Promise<Record<string, string>> {
  const { customAttributes } = await target.ask(
    `listing search attributes of ${namespace}`,
    () => target.grpc.operatorService.listSearchAttributes({ namespace }),
    CALL_TIMEOUT_MS,
  );
  const named = Object.entries(customAttributes ?? {}).map(
    ([name, type]) => [name, TYPES[type] ?? String(type)] as const,
  );
  // Those of a map come in another order with each answer.
  return inOrder(Object.fromEntries(named));
}

/** Custom search attributes of every namespace, with how many of the workflows that closed before `closedBefore` have each. */
export async function readSearchAttributes(
  target: TargetConnection,
  closedBefore: Date,
  work: Work = {},
): Promise<SearchAttributes> {
  const found: Record<string, NamespaceAttributes> = {};
  let questions = 0;
  const namespaces = (await listNamespaces(target)).filter(({ name }) => name !== LOCK_NAMESPACE);
  await forEachAtOnce(namespaces, { atOnce: AT_ONCE, signal: work.signal }, async ({ name: namespace }) => {
    const types = Object.entries(await readAttributeTypes(target, namespace));
    if (types.length === 0) return;
    work.onProgress?.(`search attributes of ${namespace}`);
    const asked = questions + types.length <= MOST_QUESTIONS;
    if (asked) questions += types.length;
    found[namespace] = await (asked ? counted : uncounted)(target, { namespace, types, closedBefore });
  });
  return inOrder(found);
}

function inOrder<T>(all: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface Asked {
  readonly namespace: string;
  readonly types: readonly (readonly [name: string, type: string])[];
  readonly closedBefore: Date;
}

function uncounted(_: TargetConnection, { types }: Asked): Promise<NamespaceAttributes> {
  return Promise.resolve({ attributes: Object.fromEntries(types.map(([name, type]) => [name, { type }])) });
}

async function counted(
  target: TargetConnection,
  { namespace, types, closedBefore }: Asked,
): Promise<NamespaceAttributes> {
  const closed = `CloseTime < "${closedBefore.toISOString()}"`;
  const count = (query: string) => countRunning(target, namespace, query);
  const attributes: Record<string, AttributeFacts> = {};
  for (const [name, type] of types) {
    attributes[name] = await count(`${closed} AND \`${name}\` IS NOT NULL`).then(
      (having) => ({ type, having }),
      (error: unknown) => ({ type, problem: messageOf(error) }),
    );
  }
  const all = await count(closed).catch(() => undefined); // older servers have no such question
  return { closed: all, attributes };
}
