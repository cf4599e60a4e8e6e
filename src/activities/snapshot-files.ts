import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordDir } from '../adapters/data-dir.js';
import { writeWhole } from '../adapters/write-whole.js';
import type { HopPlace } from '../contract/activities.js';
import type { ShardRow } from '../core/cluster.js';
import { codeOf } from '../core/errors.js';

/** Who owned which shard before the servers were replaced. */
export interface ShardSnapshot {
  readonly takenAt: string;
  readonly rows: readonly ShardRow[];
}

/** What is written down of a target before the servers of a hop are replaced, and what became of it. */
export interface SnapshotFiles {
  readonly directory: string;
  readonly shards: string;
  /** Every change of a shard's row while the settle was watched. */
  readonly shardWatch: string;
  /** Running workflows, to be looked up one by one after the hop, and their counts. */
  readonly running: string;
  readonly runningSummary: string;
  readonly runningAfter: string;
  readonly stuck: string;
  /** Custom search attributes before the hop, and what was found by them. */
  readonly searchAttributes: string;
  /** Ids of all running workflows, and their counts: once for all hops. */
  readonly runningIds: string;
  readonly runningIdsSummary: string;
}

/** Runs whose visibility the servers have to write anew after a restore, a line each. */
export function refreshList(place: HopPlace & { readonly stamp: string }): string {
  return join(snapshotFiles(place).directory, `restore-${place.stamp}-refresh.jsonl`);
}

/** How the name of the file ends in which a settle was watched. */
export const SHARD_WATCH = '-shards-watched.jsonl';

/** The files of one hop and try of one roll-out. */
export function snapshotFiles(place: HopPlace): SnapshotFiles {
  const { environment, from, to, attempt, restored } = place;
  // What a roll-back before the restore saw of the shards is another state of them.
  const hop = `${environment}-${from}-to-${to}-${attempt}`;
  const name = `${hop}${restored === true ? '-restored' : ''}`;
  const directory = recordDir(place);
  return {
    directory,
    shards: join(directory, `${name}-shards.json`),
    shardWatch: join(directory, `${name}${SHARD_WATCH}`),
    running: join(directory, `${name}-running.jsonl`),
    runningSummary: join(directory, `${name}-running.json`),
    runningAfter: join(directory, `${name}-running-after.json`),
    stuck: join(directory, `${name}-stuck.jsonl`),
    // A restore leads back to what was written down.
    searchAttributes: join(directory, `${hop}-search-attributes.json`),
    runningIds: join(directory, 'running-before-first-hop.jsonl'),
    runningIdsSummary: join(directory, 'running-before-first-hop.json'),
  };
}

/** What {@link keepOrMake} has kept in `file`; undefined when it kept nothing. */
export async function readKept<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T; // written below
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What `file` has, or else what `make` gives, which is then kept there: a second try finds what the first one saw. */
export async function keepOrMake<T>(file: string, make: () => Promise<T>): Promise<T> {
  const kept = await readKept<T>(file);
  if (kept !== undefined) return kept;
  const made = await make();
  await writeWhole(file, JSON.stringify(made));
  return made;
}
