import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { OpenTransaction } from '../survey/store-survey.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { type ReachedStore, reachedStores, unseenFinding } from './about-store.js';
import { wordsFor } from './database-words.js';

/** Below this, a report or a backup on a cluster that nobody upgrades is nothing to speak of. */
const LONG_WITHOUT_HOP_MS = 300_000;

/** No transaction stands in the way of the scripts: they would wait for it, and all traffic behind them. */
export const blockers: Check = (survey, context) =>
  reachedStores(survey, context).flatMap((reached): Finding[] => {
    const { store, name } = reached;
    // A hop that leaves this store as it is waits for nothing.
    if (context.hop !== undefined && store.scripts === undefined) return [];
    if ('unseen' in store.blockers) {
      return [
        unseenFinding('blockers-unseen', 'warn', {
          what: `long transactions in ${name}`,
          reason: store.blockers.unseen,
          action: wordsFor(store).blockers.look,
        }),
      ];
    }
    const { transactions, hidden } = store.blockers.seen;
    return [
      ...transactions.flatMap((transaction) => judge(reached, transaction, context)),
      ...(hidden === 0 ? [] : [hiddenSessions(reached, hidden)]),
    ];
  });

function judge({ name, store }: ReachedStore, transaction: OpenTransaction, { hop }: CheckContext): Finding[] {
  const changes = (store.scripts && valueOf(store.scripts)?.changes) ?? [];
  const inTheWay = transaction.locks.filter(({ table }) => changes.includes(table));
  if (hop === undefined && transaction.ageMs < LONG_WITHOUT_HOP_MS) return [];
  const action = `Wait for its end, or end it: ${transaction.end}`;
  const found = `${describe(transaction)} in ${name}`;
  if (inTheWay.length > 0) {
    const tables = [...new Set(inTheWay.map(({ table }) => table))].join(', ');
    return [
      {
        id: 'lock-in-the-way',
        severity: 'block',
        found,
        expected: `no lock on ${tables}: the scripts would wait for it, and everybody else behind them`,
        action,
        source: wordsFor(store).blockers.source,
      },
    ];
  }
  return [
    {
      id: 'long-transaction',
      severity: 'warn',
      found,
      expected: 'transactions of milliseconds, as the servers have them',
      action,
      source: wordsFor(store).blockers.source,
    },
  ];
}

function describe({ who, user, application, state, ageMs, queryStartedAt, query, locks }: OpenTransaction): string {
  const by = application === '' ? `user "${user}"` : `user "${user}", application "${application}"`;
  const held = locks.map(({ table, mode }) => `${mode} on ${table}`).join(', ');
  const holding = held === '' ? '' : `, holding ${held}`;
  const last =
    query === '' ? '' : `, last statement ${queryStartedAt === undefined ? '' : `of ${queryStartedAt} `}"${query}"`;
  return `${who} (${by}, ${state}) has a transaction open for ${Math.round(ageMs / 1_000)} s${holding}${last}`;
}

function hiddenSessions({ name, store }: ReachedStore, hidden: number): Finding {
  return unseenFinding('blockers-unseen', 'warn', {
    what: `transactions of ${hidden} sessions of other users that hold locks on tables of ${name}`,
    reason: 'as this user may not see them',
    action: wordsFor(store).blockers.seeAll,
  });
}
