import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeState } from '../../core/cluster.js';
import { messageOf } from '../../core/errors.js';
import type { Target } from '../../core/input/input.js';
import { isWantedName, reducePage, type Reading } from '../../core/measuring/series.js';
import { parseMetrics } from '../../core/measuring/metrics.js';
import { scrape } from '../cluster/metrics-scrape.js';
import { queryPrometheus } from './prometheus.js';

/** What the page of a process says, and when a Prometheus read it (milliseconds since 1970); or why it could not be read. */
export type Page = { readonly reading: Reading; readonly readAt?: number } | { readonly problem: string };

/** Milliseconds from one process to the next. */
const APART_MS = 150;
/** All are asked in this part of a beat. */
const WITHIN = 0.25;

/**
 * The metrics of every node: from each process itself, or from the Prometheus that the target names. A page of a megabyte takes
 * its process 30 to 50 ms of CPU; those that share a machine would stall it if all were asked at once, and its clients with it.
 */
export async function readPages(
  target: Target,
  nodes: readonly NodeState[],
  { timeoutMs, beatMs }: { readonly timeoutMs: number; readonly beatMs: number },
): Promise<ReadonlyMap<string, Page>> {
  if (target.metrics !== undefined) return readFromPrometheus(target.metrics, nodes, timeoutMs);
  const apart = Math.min(APART_MS, (WITHIN * beatMs) / nodes.length);
  const pages = await Promise.all(
    nodes.map(async (node, index): Promise<readonly [string, Page]> => {
      await sleep(index * apart);
      return [node.name, await asPage(() => scrapeNode(node, timeoutMs))];
    }),
  );
  return new Map(pages);
}

async function scrapeNode({ metricsAddress }: NodeState, timeoutMs: number): Promise<Reading> {
  if (metricsAddress === undefined) throw new Error('it has no metricsAddress');
  const text = await scrape(metricsAddress, timeoutMs);
  return reducePage(parseMetrics(wantedLines(text)));
}

async function readFromPrometheus(
  source: NonNullable<Target['metrics']>,
  nodes: readonly NodeState[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, Page>> {
  const addresses = nodes.flatMap(({ metricsAddress }) => metricsAddress ?? []);
  const found = await queryPrometheus(source, addresses, timeoutMs).catch((error: unknown) => messageOf(error));
  const pages = nodes.map(async ({ name, metricsAddress = '' }): Promise<readonly [string, Page]> => {
    if (typeof found === 'string') return [name, { problem: found }];
    const scraped = found.get(metricsAddress);
    if (scraped !== undefined) {
      const page = await asPage(() => Promise.resolve(reducePage(scraped.samples)));
      return [name, { ...page, readAt: scraped.readAt }];
    }
    return [name, { problem: `Prometheus has no recent series with ${source.instanceLabel}="${metricsAddress}"` }];
  });
  return new Map(await Promise.all(pages));
}

async function asPage(read: () => Promise<Reading>): Promise<Page> {
  try {
    return { reading: await read() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** A page is a megabyte, most of it of no use here; only what is kept is taken apart. */
function wantedLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => isWantedName(/^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0] ?? ''))
    .join('\n');
}
