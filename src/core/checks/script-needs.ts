import type { Finding } from '../finding.js';
import type { MissingNeed } from '../survey/store-survey.js';
import type { Check } from '../survey/survey.js';
import { soundStores, unseenFinding } from './about-store.js';

/** The database has every operator class and function that the scripts of the hop use. */
export const scriptNeeds: Check = (survey, context) =>
  soundStores(survey, context).flatMap(({ store, name, step }): Finding[] => {
    if (store.scripts === undefined || 'unseen' in store.schemaVersion) return [];
    if ('unseen' in store.scripts) {
      return [
        unseenFinding('scripts-unseen', 'warn', {
          what: `what the scripts of the hop need of ${name}`,
          reason: store.scripts.unseen,
          action: 'Read the scripts of this hop, and see by hand that they find what they use',
        }),
      ];
    }
    const { to, missing } = store.scripts.seen;
    return missing.map((need) => ({
      id: 'script-need-missing',
      severity: 'block',
      found: `${name} has no ${need.what}, which the scripts up to schema ${to} use: they would fail half-way`,
      expected: need.extension === undefined ? `the ${need.what}` : `extension ${need.extension.name}, which brings it`,
      action: actionFor(need),
      source: `schema/${step?.folder ?? ''} of the server; issue #9930`,
    }));
  });

function actionFor({ what, extension }: MissingNeed): string {
  if (extension === undefined)
    return `Find out who dropped it, and make the ${what} as the first scripts of the store do`;
  const create = `CREATE EXTENSION ${extension.name};`;
  if (extension.available) return create;
  return `Install the additional modules of PostgreSQL (postgresql-contrib) on the database host; then ${create}`;
}
