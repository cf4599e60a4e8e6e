import { isKnown } from '../catalogue/catalogue.js';
import { databaseFindings } from '../planning/databases.js';
import type { Finding } from '../finding.js';
import { valueOf } from '../survey/seen.js';
import type { Check } from '../survey/survey.js';
import { compareVersions } from '../version.js';
import { reachedStores } from './about-store.js';
import { versionsThatRun } from './who-runs.js';

/** The database products and versions are taken by the servers that run, or that the hop leads to. */
export const databaseVersion: Check = (survey, context) => {
  const { catalogue, stores, hop } = context;
  const databases = Object.fromEntries(
    reachedStores(survey, context).flatMap(({ part, store }) => {
      const seen = valueOf(store.database);
      return seen === undefined ? [] : [[part, seen] as const];
    }),
  );
  // A database that was not reached is told already; here it is only asked what was seen.
  const refused = (from: string, to: string) =>
    databaseFindings(catalogue, { from, to, stores }, databases).filter(({ id }) => id === 'database-not-accepted');
  if (hop !== undefined) return refused(hop.from, hop.to);
  const newest = versionsThatRun(survey.cluster)
    .map(({ version }) => version)
    .filter((version) => isKnown(catalogue, version))
    .toSorted(compareVersions)
    .at(-1);
  // Servers that run already do not refuse it: it is not supported, and not the end.
  return newest === undefined ? [] : refused(newest, newest).map(asWarning);
};

function asWarning(finding: Finding): Finding {
  return finding.severity === 'block' ? { ...finding, severity: 'warn' } : finding;
}
