import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { Check } from '../survey/survey.js';
import { soundStores } from './about-store.js';

const AGAIN = 'the scripts change it again';

/**
 * Nothing is there already of what the scripts of the hop make, where the database takes their statements only once. What a killed
 * schema tool left is taken back before they run; what else it may be is for a person to find out.
 */
export const unfinishedStep: Check = (survey, context) =>
  soundStores(survey, context).flatMap(({ store, name }): Finding[] => {
    const scripts = store.scripts && valueOf(store.scripts);
    return (scripts?.leftOvers ?? []).map(({ what, takeBack, doubt, passedOver }) => {
      const source =
        'scripts of the hop, and tools/common/schema/updatetask.go of the server: what is there already is passed over from 1.22 on, as far as the database calls it so';
      const found = `${name}: ${what}, and schema ${scripts?.to ?? ''} is still to come`;
      if (doubt === undefined) {
        const mended = takeBack === undefined ? AGAIN : `it is taken back before the scripts run, by ${takeBack}`;
        const passed = `the schema tool passes over it. One from before 1.22 does not: then take it back, by ${takeBack ?? ''}`;
        return {
          id: 'schema-step-unfinished',
          severity: 'warn',
          found,
          expected: `the tables of schema ${scripts?.from ?? ''}`,
          action: `Nothing: ${passedOver === true ? passed : mended}`,
          source,
        };
      }
      return {
        id: 'schema-step-foreign',
        severity: 'block',
        found: `${found}; ${doubt}`,
        expected: `the tables of schema ${scripts?.from ?? ''}`,
        action: `Find out who made it, and take it back: ${takeBack ?? ''}; or restore the backup of the hop that was begun`,
        source,
      };
    });
  });
