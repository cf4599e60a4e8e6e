import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { Check } from '../survey/survey.js';
import { soundStores } from './about-store.js';

/**
 * Nothing is there already of what the scripts of the hop make, where the database takes their statements only once. What a killed
 * schema tool left is taken back before they run; what else it may be is for a person to find out.
 */
export const unfinishedStep: Check = (survey, context) =>
  soundStores(survey, context).flatMap(({ store, name }): Finding[] => {
    const scripts = store.scripts && valueOf(store.scripts);
    return (scripts?.leftOvers ?? []).map(({ what, takeBack, doubt }) => {
      const source =
        'mysql/v8 scripts of the hop, and tools/common/schema/updatetask.go of the server: a column or index is not added twice';
      const found = `${name}: ${what}, and schema ${scripts?.to ?? ''} is still to come`;
      if (doubt === undefined) {
        return {
          id: 'schema-step-unfinished',
          severity: 'warn',
          found,
          expected: `the tables of schema ${scripts?.from ?? ''}`,
          action: `Nothing: it is taken back before the scripts run, by ${takeBack}`,
          source,
        };
      }
      return {
        id: 'schema-step-foreign',
        severity: 'block',
        found: `${found}; ${doubt}`,
        expected: `the tables of schema ${scripts?.from ?? ''}`,
        action: `Find out who made it, and take it back: ${takeBack}`,
        source,
      };
    });
  });
