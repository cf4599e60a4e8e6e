import { isChartSince } from './chart-releases.js';
import { DATASTORES_SINCE, FAILS_SOURCE, KEY_MOVES, REFUSED_SINCE } from './key-moves.js';
import type { ValueLeft } from './migration.js';

/** Keys that have become others store by store. */
const STORE_KEYS = [
  ...['default', 'visibility'].map((name) => `server.config.persistence.${name}`),
  ...['createDatabase', 'setup', 'update'].map((key) => `schema.${key}`),
].map((from) => ({
  from,
  to: 'the fields of server.config.persistence.datastores',
  since: DATASTORES_SINCE,
  refusedSince: REFUSED_SINCE,
  source: FAILS_SOURCE,
}));

/** Old keys among those that are set one by one: they are laid over values that were moved, and nothing moves them. */
export function oldSetKeys(keys: readonly string[], to: string): ValueLeft[] {
  return keys.flatMap((key) => {
    const move = [...KEY_MOVES, ...STORE_KEYS].find(
      ({ from, since }) => isChartSince(to, since) && `${key}.`.startsWith(`${from}.`),
    );
    if (move === undefined) return [];
    return [
      {
        key,
        why: '"change.set" sets it, which is not migrated',
        action: move.to === undefined ? 'Take it out there' : `Say it there by ${move.to}, or in your values`,
        stops: move.refusedSince !== undefined && isChartSince(to, move.refusedSince),
        source: move.source,
      },
    ];
  });
}
