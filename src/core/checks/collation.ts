import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { noteUnseen, reachedStores } from './about-store.js';

/** The library that sorts text is the one that the indexes were built with. */
export const collation: Check = (survey, context) =>
  reachedStores(survey, context).flatMap(({ store, name }): Finding[] => {
    if ('unseen' in store.collation) {
      return [noteUnseen('collation-unseen', `version of the sort order of ${name}`, store.collation.unseen)];
    }
    const { recorded, actual } = store.collation.seen;
    if (recorded === undefined || actual === undefined || recorded === actual) return [];
    return [
      {
        id: 'collation-changed',
        severity: 'note',
        found: `the indexes of ${name} were built with version ${recorded} of its sort order, and the database host now has ${actual}`,
        expected: 'one version: an index in another order finds rows wrongly',
        action: 'REINDEX DATABASE; then ALTER DATABASE … REFRESH COLLATION VERSION;',
        source: 'PostgreSQL documentation, ALTER DATABASE, REFRESH COLLATION VERSION',
      },
    ];
  });
