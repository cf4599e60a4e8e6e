import { z } from 'zod';
import type { MetricsSource } from '../../core/input/input.js';
import { WANTED_NAMES } from '../../core/measuring/series.js';
import type { MetricSample } from '../../core/measuring/metrics.js';
import { messageOf } from '../../core/errors.js';
import { readSecret } from '../secrets.js';

/** Older than this, what Prometheus has of a process is not what it shows now. Its own scrapes are 15 to 60 s apart. */
const FRESH_SECONDS = 90;

/** Answer of `/api/v1/query` to an instant query (Prometheus' HTTP API): values come as text. */
const Answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
type Series = z.infer<typeof Answer>['data']['result'][number];

/** What a Prometheus has of one process, and when it scraped that, milliseconds since 1970 by its clock. */
export interface Scraped {
  readonly readAt: number;
  readonly samples: readonly MetricSample[];
}

/**
 * The series of each address (host:port) that a Prometheus has now, names as it has them. An address of which it has none
 * that is fresh is left out. @throws Error naming the Prometheus and what it answered
 */
export async function queryPrometheus(
  source: MetricsSource,
  addresses: readonly string[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, Scraped>> {
  const { instanceLabel } = source;
  const matchers = [
    `${instanceLabel}=~${JSON.stringify(addresses.map(escapeRegExp).join('|'))}`,
    ...Object.entries(source.labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`),
  ].join(',');
  const names = JSON.stringify(`.*(${WANTED_NAMES.join('|')}).*`);
  // When it last heard of each process: an instant query also gives what is up to five minutes old. Asked first, so that a
  // scrape between the two makes a page newer than it is said to be, never older.
  const up = `up{${matchers}}`;
  const scraped = await query(source, `max by (${instanceLabel}) (timestamp(${up}) and ${up} == 1)`, timeoutMs);
  const fresh = new Map(
    scraped
      .filter(({ value: [now, at] }) => now - Number(at) <= FRESH_SECONDS)
      .map(({ metric, value: [, at] }) => [metric[instanceLabel], Math.round(Number(at) * 1_000)]),
  );
  if (fresh.size === 0) return new Map();
  const series = await query(source, `{__name__=~${names},${matchers}}`, timeoutMs);
  const byAddress = Map.groupBy(series, ({ metric }) => metric[instanceLabel] ?? '');
  return new Map(
    [...byAddress].flatMap(([address, own]) => {
      const readAt = fresh.get(address);
      return readAt === undefined ? [] : [[address, { readAt, samples: own.map(sampleOf) }] as const];
    }),
  );
}

function sampleOf({ metric, value }: Series): MetricSample {
  const { __name__: name = '', ...labels } = metric;
  const text = value[1];
  return { name, labels, value: text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text) };
}

async function query(source: MetricsSource, expression: string, timeoutMs: number): Promise<readonly Series[]> {
  const url = `${source.prometheus.replace(/\/+$/, '')}/api/v1/query`;
  const token = source.bearerToken === undefined ? undefined : await readSecret(source.bearerToken);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST', // the expression is longer than some proxies let an address be
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      body: new URLSearchParams({ query: expression }),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    throw new Error(`no answer of the Prometheus at ${url}: ${reason}`, { cause });
  }
  if (!response.ok) throw new Error(`the Prometheus at ${url} answers HTTP status ${response.status}`);
  const answer = Answer.safeParse(await response.json().catch(() => undefined));
  if (!answer.success) throw new Error(`${url} does not answer as the HTTP API of Prometheus does`);
  return answer.data.data.result;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
