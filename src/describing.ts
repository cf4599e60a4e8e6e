import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findTarget } from './adapters/discovery/find-target.js';
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
  for (const store of [info.persistenceStore, ...info.visibilityStore.split(',')]) {
    if (isSqlPlugin(store) || store === 'cassandra' || store === 'elasticsearch') continue;
    if (store === 'sqlite') throw new PreconditionError(`${answers.name}: ${SQLITE}`);
    throw new PreconditionError(
      `${answers.name} keeps its data in ${store}; the stores of this release are PostgreSQL, MySQL, Cassandra, Elasticsearch and OpenSearch`,
    );
  }
  const { text, toDo } = targetFile(found, answers);
  await write(file, text, replace);
  await writeSchema(file, 'target.schema.json', targetJsonSchema());
  const here = nodes.filter(({ process }) => process !== undefined).length;
  return { file, version: info.serverVersion, shards: info.historyShardCount, nodes: nodes.length, here, toDo, unseen };
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
