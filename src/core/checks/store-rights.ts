import type { Finding } from '../finding.js';
import { quoteName } from '../schema/shape-statements.js';
import type { ScriptsAhead, StoreRights } from '../survey/store-survey.js';
import { valueOf } from '../survey/seen.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { type ReachedStore, soundStores, stopsHop, unseenFinding } from './about-store.js';

const SOURCE =
  'PostgreSQL documentation, ALTER TABLE, CREATE INDEX and GRANT: the owner alone alters a table, and new tables and indexes take CREATE on the schema';
/** Tables that the schema tool itself writes. */
const WRITTEN_BY_TOOL = ['schema_version', 'schema_update_history'];

/** The user of the input may do what the scripts and the backup do. */
export const storeRights: Check = (survey, context) =>
  soundStores(survey, context).flatMap((reached): Finding[] => {
    const { store, name } = reached;
    if ('unseen' in store.rights) {
      return [
        unseenFinding('rights-unseen', stopsHop(context), {
          what: `rights of the user on ${name}`,
          reason: store.rights.unseen,
          action: 'Find out by hand whether it may alter the tables: scripts that fail half-way are the worst case',
        }),
      ];
    }
    const rights = store.rights.seen;
    const scripts = store.scripts && valueOf(store.scripts);
    return [
      ...schemaRights(reached, rights, context),
      ...backupRights(reached, rights, context),
      ...foreignOwner(reached, rights, scripts),
    ];
  });

/** In a hop, only what its scripts do; else everything that a hop may come to do. */
function schemaRights({ name, store }: ReachedStore, rights: StoreRights, context: CheckContext): Finding[] {
  if (context.hop !== undefined && store.scripts === undefined) return [];
  const scripts = store.scripts && valueOf(store.scripts);
  const altered = rights.tables.filter(
    ({ table, canAlter }) => !canAlter && (scripts?.changes.includes(table) ?? true),
  );
  const unwritable = rights.tables.filter(({ table, canWrite }) => !canWrite && WRITTEN_BY_TOOL.includes(table));
  const needsCreate = !rights.canCreateInSchema;
  const problems = [
    ...(altered.length === 0 ? [] : [`does not own ${tableList(altered)} (owner ${owners(altered)})`]),
    ...(needsCreate ? [`may not create in schema "${rights.schema}"`] : []),
    ...(unwritable.length === 0 ? [] : [`may not write ${tableList(unwritable)}`]),
  ];
  if (problems.length === 0) return [];
  const user = quoteName(rights.user);
  const grants = [
    ...unique(altered.map(({ owner }) => `GRANT ${quoteName(owner)} TO ${user};`)),
    ...(needsCreate ? [`GRANT CREATE ON SCHEMA ${quoteName(rights.schema)} TO ${user};`] : []),
    ...unwritable.map(({ table }) => `GRANT INSERT, UPDATE ON ${quoteName(table)} TO ${user};`),
  ];
  return [
    {
      id: 'rights-missing',
      severity: stopsHop(context),
      found: `user "${rights.user}" of ${name} ${problems.join(', and ')}`,
      expected: 'the owner of the tables, who may create in their schema',
      action: `Give the owner as the user of the input, or grant: ${grants.join(' ')}`,
      source: SOURCE,
    },
  ];
}

function backupRights({ name }: ReachedStore, rights: StoreRights, context: CheckContext): Finding[] {
  const tables = rights.tables.filter(({ canRead }) => !canRead).map(({ table }) => table);
  const unreadable = [...tables, ...rights.unreadableSequences];
  if (unreadable.length === 0) return [];
  const grants = unreadable.map((one) => `GRANT SELECT ON ${quoteName(one)} TO ${quoteName(rights.user)};`);
  return [
    {
      id: 'backup-rights-missing',
      severity: stopsHop(context),
      found: `user "${rights.user}" of ${name} may not read ${unreadable.join(', ')}`,
      expected: 'a user that may read everything in the schema, as a backup does',
      action: `Give the owner as the user of the input, or grant: ${grants.join(' ')}`,
      source: 'PostgreSQL documentation, pg_dump, Notes: it takes SELECT on all that it dumps',
    },
  ];
}

/** Tables made by another user than that of the servers are closed to the servers. */
function foreignOwner({ name }: ReachedStore, rights: StoreRights, scripts: ScriptsAhead | undefined): Finding[] {
  const creates = scripts?.creates ?? [];
  const owned = rights.tables.some(({ owner }) => owner === rights.user);
  if (creates.length === 0 || owned || rights.tables.length === 0) return [];
  const owner = rights.tables.find(({ table }) => table === 'schema_version')?.owner ?? owners(rights.tables);
  const changes = creates.map((table) => `ALTER TABLE ${quoteName(table)} OWNER TO ${quoteName(owner)};`);
  return [
    {
      id: 'rights-new-owner',
      severity: 'warn',
      found: `user "${rights.user}" of ${name} owns none of its tables, and the scripts create ${creates.join(', ')}`,
      expected: `the owner of the other tables, "${owner}": a server that is another user cannot read tables of "${rights.user}"`,
      action: `Give "${owner}" as the user of the input, or run after the schema phase: ${changes.join(' ')}`,
      source: 'PostgreSQL documentation, Privileges: the role that creates a table owns it',
    },
  ];
}

function tableList(tables: StoreRights['tables']): string {
  return tables.map(({ table }) => table).join(', ');
}

function owners(tables: StoreRights['tables']): string {
  return unique(tables.map(({ owner }) => `"${owner}"`)).join(', ');
}

function unique(all: readonly string[]): string[] {
  return [...new Set(all)];
}
