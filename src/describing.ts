import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findTarget } from './adapters/discovery/find-target.js';
import { type FoundPodTarget, findPodTarget, type ReleasePlace } from './adapters/discovery/find-release.js';
import { releaseFile, type ReleaseAnswers } from './adapters/discovery/release-file.js';
import { rolloutFile, type RolloutParts } from './adapters/discovery/rollout-file.js';
import { targetFile, type TargetAnswers } from './adapters/discovery/target-file.js';
import { codeOf, messageOf, PreconditionError } from './core/errors.js';
import { isSqlPlugin, SQLITE } from './core/input/input.js';
import { rolloutJsonSchema, targetJsonSchema } from './core/input/input-json-schema.js';

/** Where a file is written, and whether one that is there may be replaced. */
export interface Destination {
  readonly file: string;
  readonly replace: boolean;
}

/** What was written of a cluster, and what is left to do by hand. */
export interface DescribedTarget {
  readonly file: string;
  readonly version: string;
  readonly shards: number;
  readonly nodes: number;
  /** How many of them were found on this host. */
  readonly here: number;
  readonly toDo: readonly string[];
  readonly unseen: readonly string[];
}

/**
 * Looks at a cluster from here and writes a file that describes it, with the schema for editors beside it.
 * @throws PreconditionError when it cannot be asked, its stores cannot be upgraded, or the file is there already
 */
export async function describeTarget(answers: TargetAnswers, { file, replace }: Destination): Promise<DescribedTarget> {
  const found = await findTarget(answers.connection);
  const { info, nodes, unseen } = found;
  refuseOtherStores(answers.name, [info.persistenceStore, ...info.visibilityStore.split(',')]);
  const { text, toDo } = targetFile(found, answers);
  await write(file, text, replace);
  await writeSchema(file, 'target.schema.json', targetJsonSchema());
  const here = nodes.filter(({ process }) => process !== undefined).length;
  return { file, version: info.serverVersion, shards: info.historyShardCount, nodes: nodes.length, here, toDo, unseen };
}

/** What was written of a release in Kubernetes, and what is left to do by hand. */
export interface DescribedRelease extends Pick<FoundPodTarget, 'unseen'> {
  readonly file: string;
  readonly namespace: string;
  readonly release: string;
  /** Those that its pods run, by their images. */
  readonly versions: readonly string[];
  readonly shards?: number | undefined;
  readonly pods: number;
  /** How new versions get in, as the file has it. */
  readonly change: string;
  readonly toDo: readonly string[];
}

/**
 * Looks at a release in Kubernetes from here and writes a file that describes it, with the schema for editors beside it.
 * @throws PreconditionError when there is no such context, release or right, its stores cannot be upgraded, or the file is there already
 */
export async function describeRelease(
  answers: ReleaseAnswers,
  place: ReleasePlace,
  { file, replace }: Destination,
): Promise<DescribedRelease> {
  const found = await findPodTarget(place);
  const { release, workloads, configuration, change, unseen } = found;
  const kinds = Object.values(configuration.stores).flatMap((store) => ('plugin' in store ? (store.plugin ?? []) : []));
  refuseOtherStores(answers.name, kinds);
  const { text, toDo } = releaseFile(found, answers);
  await write(file, text, replace);
  await writeSchema(file, 'target.schema.json', targetJsonSchema());
  return {
    ...{ file, namespace: release.namespace, release: release.name },
    versions: [...new Set(workloads.flatMap(({ versions }) => versions))],
    shards: configuration.shards,
    pods: workloads.reduce((sum, { pods }) => sum + pods, 0),
    ...{ change: change.by, toDo, unseen },
  };
}

/** @throws PreconditionError that names the first store of a make that cannot be upgraded */
function refuseOtherStores(name: string, stores: readonly string[]): void {
  for (const store of stores) {
    if (isSqlPlugin(store) || store === 'cassandra' || store === 'elasticsearch') continue;
    if (store === 'sqlite') throw new PreconditionError(`${name}: ${SQLITE}`);
    throw new PreconditionError(
      `${name} keeps its data in ${store}; the stores of this release are PostgreSQL, MySQL, Cassandra, Elasticsearch and OpenSearch`,
    );
  }
}

/** Writes a roll-out made of two target files, with the schema for editors beside it. @throws PreconditionError when it is there already */
export async function describeRollout(parts: RolloutParts, { file, replace }: Destination): Promise<void> {
  await write(file, rolloutFile(parts), replace);
  await writeSchema(file, 'rollout.schema.json', rolloutJsonSchema());
}

async function write(file: string, text: string, replace: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (cause) {
    const problem =
      codeOf(cause) === 'EEXIST'
        ? `${file} is there already and was left as it is; write another with --write, or replace it with --force`
        : `${file} cannot be written: ${messageOf(cause)}`;
    throw new PreconditionError(problem, { file }, { cause });
  }
}

/** Made by the program alone, so that it may always be made anew. */
async function writeSchema(beside: string, name: string, schema: object): Promise<void> {
  await write(join(dirname(beside), name), `${JSON.stringify(schema, null, 2)}\n`, true);
}
