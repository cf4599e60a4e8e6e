import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { reachedStores, unseenFinding } from './about-store.js';
import { wordsFor } from './database-words.js';

/** The databases take writes. */
export const writeMode: Check = (survey, context) =>
  reachedStores(survey, context).flatMap(({ store, name }): Finding[] => {
    if ('unseen' in store.mode) {
      return [
        unseenFinding('write-mode-unseen', 'warn', {
          what: `whether ${name} takes writes`,
          reason: store.mode.unseen,
          action: 'See by hand that it is no standby',
        }),
      ];
    }
    const { inRecovery, readOnly } = store.mode.seen;
    const words = wordsFor(store);
    if (inRecovery) {
      return [
        {
          id: 'database-standby',
          severity: 'block',
          found: `${name} is a standby that follows another database server, and takes no writes`,
          expected: 'the primary',
          action: 'Give the address of the primary in the input',
          source: words.standbySource,
        },
      ];
    }
    if (!readOnly) return [];
    return [
      {
        id: 'database-read-only',
        severity: 'block',
        found: `${name} is read-only for this user: ${words.readOnly.setting}`,
        expected: 'a database that takes writes',
        action: words.readOnly.action,
        source: words.readOnly.source,
      },
    ];
  });
