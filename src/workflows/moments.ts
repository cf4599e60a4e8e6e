import type { PhaseResult } from '../core/status.js';

/** The time of the workflow, ISO 8601. */
export function now(): string {
  return new Date().toISOString();
}

/** When something began that is over now, and how long it took. */
export function tookSince(startedMs: number): Required<Pick<PhaseResult, 'startedAt' | 'seconds'>> {
  return {
    startedAt: new Date(startedMs).toISOString(),
    seconds: Math.round((Date.now() - startedMs) / 100) / 10,
  };
}
