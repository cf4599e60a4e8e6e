import { isGrpcServiceError } from '@temporalio/client';
import type {
  AttributeFacts,
  Expiring,
  NamespaceAttributes,
  SearchAttributes,
} from '../../core/running-work/search-attributes.js';
import type { Work } from '../store.js';
import { LOCK_NAMESPACE } from './cluster-lock.js';
import { mapAtMost } from './look.js';
import { countMatching, listNamespaces } from './target-cluster.js';
import type { TargetConnection } from './target-connection.js';

const AT_ONCE = 4;
/** Each takes a look at every closed workflow of its namespace; of the others names and types are compared. */
const MOST_QUESTIONS = 200;
const CALL_TIMEOUT_MS = 3_000;
/** gRPC status codes INVALID_ARGUMENT and UNIMPLEMENTED. */
const NOT_TAKEN: readonly number[] = [3, 12];
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
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Custom search attributes of every namespace, with how many of the workflows that closed before `closedBefore` have each. */
export async function readSearchAttributes(
  target: TargetConnection,
  closedBefore: Date,
  { signal, onProgress }: Work = {},
): Promise<SearchAttributes> {
  const namespaces = (await listNamespaces(target)).filter(({ name }) => name !== LOCK_NAMESPACE);
  const all = await mapAtMost(AT_ONCE, namespaces, async ({ name: namespace, retentionSeconds }) => {
    signal?.throwIfAborted();
    onProgress?.(`search attributes of ${namespace}`);
    return {
      namespace,
      retentionMs: retentionSeconds * 1_000,
      types: Object.entries(await readAttributeTypes(target, namespace)),
    };
  });
  const found: Record<string, NamespaceAttributes> = {};
  let questions = 0;
  // One after the other: it is always the same ones that are asked, and each namespace has its own quota of such questions.
  for (const { namespace, retentionMs, types } of all) {
    if (types.length === 0) continue;
    signal?.throwIfAborted();
    onProgress?.(`workflows of ${namespace} by their search attributes`);
    questions += types.length;
    found[namespace] =
      questions <= MOST_QUESTIONS
        ? await counted(target, { namespace, retentionMs, types, closedBefore })
        : { attributes: Object.fromEntries(types.map(([name, type]) => [name, { type }])) };
  }
  return found;
}

/** Hops take less; after the last of these nothing is said of what the retention removes. */
const WITHIN_MS = [1, 6, 24, 96].map((hours) => hours * 3_600_000);

interface Asked {
  readonly namespace: string;
  readonly retentionMs: number;
  readonly types: readonly (readonly [name: string, type: string])[];
  readonly closedBefore: Date;
}

async function counted(
  target: TargetConnection,
  { namespace, retentionMs, types, closedBefore }: Asked,
): Promise<NamespaceAttributes> {
  const askedAt = Date.now();
  const closed = `CloseTime < "${closedBefore.toISOString()}"`;
  const count = (query: string) => countAsked(target, namespace, query);
  const atFirst = await count(closed);
  const attributes: Record<string, AttributeFacts> = {};
  for (const [name, type] of types)
    attributes[name] = { type, ...(await count(`${closed} AND \`${name}\` IS NOT NULL`)) };
  const expiring: Expiring[] = [];
  for (const withinMs of WITHIN_MS) {
    // The clocks of this host and of the target may differ by some minutes.
    const until = Math.min(closedBefore.getTime(), askedAt - retentionMs + withinMs + 5 * 60_000);
    const { having } = await count(`CloseTime < "${new Date(until).toISOString()}"`);
    if (having !== undefined) expiring.push({ withinMs, count: having });
  }
  const atLast = await count(closed);
  return { closed: { atFirst: atFirst.having, atLast: atLast.having }, expiring, attributes };
}

/** A question that the cluster does not take is an answer too; what else goes wrong may be over with the next try. */
async function countAsked(
  target: TargetConnection,
  namespace: string,
  query: string,
): Promise<Pick<AttributeFacts, 'having' | 'problem'>> {
  try {
    const having = await countMatching(target, namespace, query);
    return having === undefined ? { problem: 'visibility does not count here' } : { having };
  } catch (error) {
    if (isGrpcServiceError(error) && NOT_TAKEN.includes(error.code)) return { problem: error.details };
    throw error;
  }
}
