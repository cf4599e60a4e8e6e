import { v5 } from 'uuid';

/** Namespace of these ids (RFC 9562, section 5.5): any UUID will do, as long as it stays the same. */
const NAMESPACE = '5f0c1a0e-2a64-4ef4-9d3e-7b1d9a8c6d52';

/**
 * The same for the same words, in whichever process: the target answers a repeated request with what it has. A UUID, because
 * servers on Cassandra keep the ids of requests as such, and refuse others (`signal_requested` of its table executions).
 */
export function requestIdOf(...words: readonly (string | number)[]): string {
  return v5(words.join('/'), NAMESPACE);
}
