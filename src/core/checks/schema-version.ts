import { isKnown } from '../catalogue/catalogue.js';
import type { Finding } from '../finding.js';
import { findSchemaVersion, schemaFolder } from '../schema/schema-version.js';
import { SCHEMA_CHECK } from '../sources.js';
import type { Check, CheckContext, Survey } from '../survey/survey.js';
import { compareSchemaVersions } from '../version.js';
import { type ReachedStore, soundStores } from './about-store.js';
import { versionsThatRun } from './who-runs.js';

/** The schema of every store is the one that the servers expect, or on its way to the one that the hop leads to. */
export const schemaVersionCheck: Check = (survey, context) =>
  soundStores(survey, context).flatMap((reached): Finding[] => {
    const { store, name } = reached;
    if ('unseen' in store.schemaVersion) {
      return [
        {
          id: 'schema-version-unseen',
          severity: 'block',
          found: `the schema version of ${name} cannot be read: ${store.schemaVersion.unseen}`,
          expected: 'a row of table schema_version for this database',
          action: 'Correct the store in the input, or its table schema_version; servers do not start without it either',
          source: SCHEMA_CHECK,
        },
      ];
    }
    const found = store.schemaVersion.seen;
    return context.hop === undefined
      ? againstServers(reached, found, expectedOfServers(reached, survey, context))
      : againstHop(reached, found, context.hop);
  });

function againstHop(
  { name, step }: ReachedStore,
  found: string,
  { from, to }: { readonly from: string; readonly to: string },
): Finding[] {
  if (step === undefined) return [];
  if (compareSchemaVersions(found, step.from) < 0) {
    return [behind({ name, found, wanted: step.from, server: from, folder: step.folder })];
  }
  if (compareSchemaVersions(found, step.to) > 0) {
    return [
      {
        id: 'schema-ahead',
        severity: 'block',
        found: `the schema of ${name} is ${found}`,
        expected: `${step.from} of server ${from}, or at most ${step.to} of server ${to}`,
        action: `Plan from the version that schema ${found} belongs to: a schema is never taken back`,
        source: SCHEMA_CHECK,
      },
    ];
  }
  if (found === step.from || found === step.to) return [];
  return [
    {
      id: 'schema-midway',
      severity: 'note',
      found: `the schema of ${name} is ${found}, between ${step.from} and ${step.to}: an update ended half-way, and goes on from there`,
      source: SCHEMA_CHECK,
    },
  ];
}

interface Expected {
  readonly version: string;
  readonly server: string;
  readonly folder: string;
}

/** The newest schema that a running server expects; the reason when it is not known. */
function expectedOfServers(
  { part, kind }: ReachedStore,
  survey: Survey,
  { catalogue }: CheckContext,
): Expected | string {
  const running = [...new Set(versionsThatRun(survey.cluster).map(({ version }) => version))];
  if (running.length === 0) return 'no running server was seen';
  const unknown = running.filter((version) => !isKnown(catalogue, version));
  if (unknown.length > 0) return `the catalogue does not know server ${unknown.join(', ')}`;
  const expected = running.flatMap((server) => {
    const version = findSchemaVersion(catalogue, server, kind, part);
    return version === undefined ? [] : [{ version, server, folder: schemaFolder(catalogue, kind, part) }];
  });
  const newest = expected.toSorted((a, b) => compareSchemaVersions(a.version, b.version)).at(-1);
  return newest ?? `server ${running.join(', ')} has no ${part} store of kind ${kind}`;
}

function againstServers({ name }: ReachedStore, found: string, expected: Expected | string): Finding[] {
  if (typeof expected === 'string') {
    return [
      {
        id: 'schema-expectation-unseen',
        severity: 'warn',
        found: `the schema of ${name} is ${found}, and there is nothing to hold it against: ${expected}`,
        expected: 'the schema version of the running servers',
        action: 'Compare it with the catalogue by hand',
        source: SCHEMA_CHECK,
      },
    ];
  }
  const { version: wanted, server, folder } = expected;
  const order = compareSchemaVersions(found, wanted);
  if (order < 0) return [behind({ name, found, wanted, server, folder })];
  if (order === 0) return [];
  return [
    {
      id: 'schema-ahead',
      severity: 'warn',
      found: `the schema of ${name} is ${found}`,
      expected: `${wanted}, which server ${server} wants; a newer one is taken, and is how a cluster looks that was rolled back`,
      action: 'If no roll-back left it so, find out who updated the schema, and for which version',
      source: SCHEMA_CHECK,
    },
  ];
}

function behind({
  name,
  found,
  wanted,
  server,
  folder,
}: Omit<Expected, 'version'> & Record<'name' | 'found' | 'wanted', string>): Finding {
  return {
    id: 'schema-behind',
    severity: 'block',
    found: `the schema of ${name} is ${found}`,
    expected: `${wanted}, which server ${server} wants: its processes do not start again on an older one`,
    action: `Run "temporal-sql-tool update-schema --schema-name ${folder} --version ${wanted}" of server ${server} on it`,
    source: SCHEMA_CHECK,
  };
}
