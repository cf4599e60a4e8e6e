import { readFile } from 'node:fs/promises';
import type { DynamicConfigFacts, UnreachedNode } from '../../core/cluster.js';
import type { Role } from '../../core/input/input.js';
import { codeOf, messageOf, PreconditionError } from '../../core/errors.js';
import { type ConfiguredNode, findDynamicFiles } from './dynamic-files.js';
import { keysIn, valuesIn } from './edit-settings.js';
import { readGoDuration } from './go-duration.js';

/** Frontends tell a connection to go when it is that old. */
const CONNECTION_AGE = 'frontend.keepAliveMaxConnectionAge';

/**
 * What the dynamic configuration of these nodes says, as far as it can be seen from here: a plan is also made far from the
 * servers. Never throws.
 */
export async function readDynamicConfig(nodes: readonly ConfiguredNode[]): Promise<DynamicConfigFacts> {
  const found = await findDynamicFiles(nodes).catch((error: unknown) => ({
    files: [],
    unreached: nodes.map(({ name }) => ({ node: name, reason: messageOf(error) })),
  }));
  const files = await Promise.all(
    found.files.map(async ({ path, nodes: readers }) => ({ readers, ...(await readOne(path)) })),
  );
  const roleOf = new Map(nodes.map(({ name, role }) => [name, role]));
  const withRole = ({ node, reason }: { readonly node: string; readonly reason: string }): UnreachedNode[] => {
    const role = roleOf.get(node);
    return role === undefined ? [] : [{ node, role, reason }];
  };
  return dynamicFacts(files, found.unreached.flatMap(withRole));
}

/** What files of dynamic configuration say together, of the nodes that read them. */
export function dynamicFacts(
  files: readonly (DynamicContent & { readonly readers: readonly { readonly name: string; readonly role: Role }[] })[],
  unreached: readonly UnreachedNode[],
): DynamicConfigFacts {
  const ofFrontends = files.filter(({ readers }) => readers.some(({ role }) => role === 'frontend'));
  const ages = ofFrontends.map(({ ageMs }) => ageMs);
  const known = ages.length > 0 && !unreached.some(({ role }) => role === 'frontend');
  return {
    keysSet: [...new Set(files.flatMap(({ keys }) => keys))],
    connectionAgeMs: known && ages.every((age) => age !== undefined) ? Math.max(...ages) : undefined,
    unreached: [
      ...unreached,
      ...files.flatMap(({ readers, problem }) =>
        problem === undefined ? [] : readers.map(({ name, role }) => ({ node: name, role, reason: problem })),
      ),
    ],
  };
}

/** What one file of it says. */
export interface DynamicContent {
  readonly keys: readonly string[];
  readonly ageMs?: number | undefined;
  /** Why nothing of it is known. */
  readonly problem?: string | undefined;
}

/** What a text of dynamic configuration says. No valid YAML says nothing: the roll itself tells of it, as an incident. */
export function contentOf(path: string, text: string): DynamicContent {
  try {
    return { keys: keysIn(path, text), ageMs: longest(valuesIn(path, text, CONNECTION_AGE)) };
  } catch (error) {
    if (error instanceof PreconditionError) return { keys: [] };
    throw error;
  }
}

async function readOne(path: string): Promise<DynamicContent> {
  try {
    return contentOf(path, await readFile(path, 'utf8'));
  } catch (error) {
    return { keys: [], problem: `${path} cannot be read by this worker (${codeOf(error) ?? 'unknown reason'})` };
  }
}

/**
 * The longest of some ages, in milliseconds; undefined where one is no duration with a unit, whose meaning differs between
 * versions, or is 0, which lets connections live for ever.
 */
function longest(values: readonly unknown[]): number | undefined {
  const ages = values.map((value) => (typeof value === 'string' ? readGoDuration(value) : undefined));
  if (ages.length === 0 || ages.some((age) => age === undefined || age === 0)) return undefined;
  return Math.max(...ages.filter((age) => age !== undefined));
}
