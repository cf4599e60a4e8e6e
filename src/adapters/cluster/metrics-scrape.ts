import { messageOf } from '../../core/errors.js';

const TIMEOUT_MS = 5_000;
/**
 * As it is: a process that compresses a page of a megabyte has that time not for its clients. `fetch` by itself asks for gzip, and
 * servers then do it (`HTTPHandler` in prometheus/reporter.go of tally, by `HandlerFor` of promhttp).
 */
const HEADERS = { 'accept-encoding': 'identity' } as const;

/**
 * The Prometheus text that a node serves at `/metrics` of `metricsAddress` (host:port).
 * @throws Error naming the address; a missing measurement is the caller's to judge
 */
export async function scrape(metricsAddress: string, timeoutMs = TIMEOUT_MS): Promise<string> {
  const url = `http://${metricsAddress}/metrics`;
  let response: Response;
  try {
    response = await fetch(url, { headers: HEADERS, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
    if (response.ok) return await response.text();
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    throw new Error(`no metrics from ${url}: ${reason}`, { cause });
  }
  throw new Error(`no metrics from ${url}: HTTP status ${response.status}`);
}
