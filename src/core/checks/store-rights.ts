import type { Finding } from '../finding.js';
import { quoteName } from '../schema/shape-statements.js';
import type { ScriptsAhead, StoreRights } from '../survey/store-survey.js';
import { valueOf } from '../survey/seen.js';
import type { Check, CheckContext } from '../survey/survey.js';
import { wordsFor, type DatabaseWords } from './database-words.js';
import { type ReachedStore, soundStores, stopsHop, unseenFinding } from './about-store.js';

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
    if (rights.notTold !== undefined) return [rightsNotTold(name, rights.notTold)];
    const scripts = store.scripts && valueOf(store.scripts);
    return [
      ...schemaRights(reached, rights, context),
      ...backupRights(reached, rights, context),
      ...foreignOwner(reached, rights, scripts),
    ];
  });

/** Nobody could get past a block: there is no user who would be told. What is refused then stops the hop by itself, and may be sent again. */
function rightsNotTold(name: string, reason: string): Finding {
  return {
    id: 'rights-not-told',
    severity: 'warn',
    found: `rights of the user on ${name} are not known: ${reason}`,
    expected: 'a user that may put index templates, and change, read and write the index',
    action:
      'See with who administers it that the user may; what is refused stops the hop before anything of the store is changed',
    source: 'OpenSearch documentation, Security: permissions indices_all and cluster:admin/indices/template/put',
  };
}

/** In a hop, only what its scripts do; else everything that a hop may come to do. */
function schemaRights({ name, store }: ReachedStore, rights: StoreRights, context: CheckContext): Finding[] {
  if (context.hop !== undefined && store.scripts === undefined) return [];
  const scripts = store.scripts && valueOf(store.scripts);
  const altered = rights.tables.filter(
    ({ table, canAlter }) => !canAlter && (scripts?.changes.includes(table) ?? true),
  );
  const unwritable = rights.tables.filter(({ table, canWrite }) => !canWrite && WRITTEN_BY_TOOL.includes(table));
  const needsCreate = !rights.canCreateInSchema;
  const { rights: words } = wordsFor(store);
  const problems = [
    ...(altered.length === 0 ? [] : [words.cannotAlter(altered)]),
    ...(needsCreate ? [`may not create in schema "${rights.schema}"`] : []),
    ...(unwritable.length === 0 ? [] : [`may not write ${tableList(unwritable)}`]),
  ];
  if (problems.length === 0) return [];
  const grants = words.grantChanges(rights, { altered, needsCreate, unwritable });
  return [
    {
      id: 'rights-missing',
      severity: stopsHop(context),
      found: `user "${rights.user}" of ${name} ${problems.join(', and ')}`,
      expected: words.expected,
      action: `${ownerOr(words)}grant: ${grants.join(' ')}`,
      source: words.source,
    },
  ];
}

function backupRights({ name, store }: ReachedStore, rights: StoreRights, context: CheckContext): Finding[] {
  const tables = rights.tables.filter(({ canRead }) => !canRead).map(({ table }) => table);
  const unreadable = [...tables, ...rights.unreadableSequences];
  if (unreadable.length === 0) return [];
  const { rights: words } = wordsFor(store);
  const grants = words.grantReading(rights, unreadable);
  return [
    {
      id: 'backup-rights-missing',
      severity: stopsHop(context),
      found: `user "${rights.user}" of ${name} may not read ${unreadable.join(', ')}`,
      expected: 'a user that may read everything in the schema, as a backup does',
      action: `${ownerOr(words)}grant: ${grants.join(' ')}`,
      source: 'a dump reads all that it writes down',
    },
  ];
}

/** Tables made by another user than that of the servers are closed to the servers. */
function foreignOwner(
  { name, store }: ReachedStore,
  rights: StoreRights,
  scripts: ScriptsAhead | undefined,
): Finding[] {
  if (!wordsFor(store).rights.tablesHaveOwners) return [];
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

function ownerOr({ tablesHaveOwners }: DatabaseWords['rights']): string {
  return tablesHaveOwners ? 'Give the owner as the user of the input, or ' : 'Give another user in the input, or ';
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
