import type { Finding } from '../finding.js';
import { partsOf } from '../planning/moves.js';
import { unseenReason } from '../survey/seen.js';
import type { Check } from '../survey/survey.js';
import { partName, storeName, SURVEY } from './about-store.js';

/** Every database of the cluster was reached and entered. */
export const storeReached: Check = (survey, { stores }) =>
  partsOf(stores).flatMap(({ part, kind }): Finding[] => {
    const store = survey.stores[part];
    if (store === undefined) {
      return [
        {
          id: 'store-unseen',
          severity: 'warn',
          found: `the ${partName(part)} store (${kind}) was not looked at`,
          expected: 'a look at every store of the cluster',
          action: 'Look by hand whether its schema version, its space and its health are as the hop wants them',
          source: SURVEY,
        },
      ];
    }
    const reason = unseenReason(store.database);
    if (reason === undefined) return [];
    return [
      {
        id: 'store-unreachable',
        severity: 'block',
        found: `${storeName(part, store)} was not reached: ${reason}`,
        expected: 'a database that the user of the input can enter',
        action: 'Make it reachable from the host of this worker, or correct the store in the input',
        source: SURVEY,
      },
    ];
  });
