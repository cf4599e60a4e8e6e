import type { DatabaseVersion } from '../planning/databases.js';
import type { Seen } from './seen.js';
import type { TemplateLook } from '../schema/search-template.js';
import type { ShapeDifference } from '../schema/shape-difference.js';

/** One database of a target as it was seen. When `database` is unseen it was not reached, and nothing else is seen either. */
export interface StoreSurvey {
  /** For people: `database "temporal" at db:5432`. */
  readonly place: string;
  readonly database: Seen<DatabaseVersion>;
  readonly schemaVersion: Seen<string>;
  /** Which kinds of Temporal tables it holds; a database of its own holds one of them. */
  readonly tables: Seen<TableKinds>;
  readonly location: Seen<StoreLocation>;
  /** Where the tables are not as the scripts of the schema version that it says make them. */
  readonly shape: Seen<readonly ShapeDifference[]>;
  /** Indexes that were not built to the end, also where the shape is unseen. */
  readonly invalidIndexes: Seen<readonly string[]>;
  /** What the scripts of the coming hop have before them; absent when no hop comes, or it leaves this store as it is. */
  readonly scripts?: Seen<ScriptsAhead> | undefined;
  readonly rights: Seen<StoreRights>;
  /** Size of the database. */
  readonly bytes: Seen<number>;
  /** Where the database keeps its files; only the database's own host can tell. */
  readonly disk: Seen<FreeSpace>;
  /** Absent where the database has no bound of them. */
  readonly connections?: Seen<ConnectionUse> | undefined;
  /** Its nodes, where it has several of its own. */
  readonly nodes?: Seen<readonly StoreNode[]> | undefined;
  /** How a search server says that the index is. */
  readonly search?: Seen<SearchHealth> | undefined;
  /** How the template of new indexes of a search server is. */
  readonly searchTemplate?: Seen<TemplateLook> | undefined;
  /**
   * Most connections that all server processes of the target together may open to this store at one time during a hop: the
   * sum of `maxConns` of their configurations. Filled by whoever reads those; absent when nobody did.
   */
  readonly maxConns?: Seen<number> | undefined;
  readonly blockers: Seen<Blockers>;
  readonly mode: Seen<WriteMode>;
  readonly collation: Seen<CollationVersions>;
  readonly backup: BackupSurvey;
  /** What the servers keep of their cluster; only the default store has it. */
  readonly cluster?: ClusterTables | undefined;
}

/** What a search server says of an index, and of the nodes that hold it. */
export interface SearchHealth {
  /** `yellow`: copies are missing; `red`: documents are. */
  readonly status: 'green' | 'yellow' | 'red';
  readonly dataNodes: number;
  readonly unassignedShards: number;
}

export interface TableKinds {
  readonly default: boolean;
  readonly visibility: boolean;
}

/** Tells whether two stores are the same tables, by whatever host name they are reached. */
export interface StoreLocation {
  /** Identity of the database server, whatever it is called. */
  readonly server: string;
  readonly database: string;
  /** The namespace within the database that holds the tables, such as `public`. */
  readonly schema: string;
}

/** A node of a database that has several. */
export interface StoreNode {
  readonly address: string;
  readonly datacenter: string;
  readonly version: string;
  /** Identity of the tables that it knows; the same for all when they agree. */
  readonly schema: string;
  readonly up: boolean;
}

/** What lies between the tables as they are and as the coming hop wants them. */
export interface ScriptsAhead {
  readonly from: string;
  readonly to: string;
  /** Tables that are altered, indexed anew or dropped. */
  readonly changes: readonly string[];
  readonly creates: readonly string[];
  /** Tables whose every row is written anew, under an exclusive lock. */
  readonly rewrites: readonly TableSize[];
  /** What the scripts use and the database has not. */
  readonly missing: readonly MissingNeed[];
  /** What is there of them before they ran, where the database takes their statements only once. */
  readonly leftOvers?: readonly LeftOverStep[] | undefined;
}

/** What a schema tool that was killed left, or somebody else made. */
export interface LeftOverStep {
  /** For people: `column Score of table orders is there already`. */
  readonly what: string;
  /** Statement that takes it back; absent where the scripts do it again as it is. */
  readonly takeBack?: string | undefined;
  /** Why it is not taken back by itself; absent where it is. */
  readonly doubt?: string | undefined;
  /** The schema tool finds it there and goes on. */
  readonly passedOver?: boolean | undefined;
  /** What is not as the present version has it because of that, and which nobody else has to mend. */
  readonly about?: {
    readonly table: string;
    readonly column?: string | undefined;
    readonly index?: string | undefined;
  };
}

export interface TableSize {
  readonly table: string;
  /** With what is stored out of line. */
  readonly tableBytes: number;
  readonly indexBytes: number;
  /** Rows as the database estimates them; absent when it was never asked to. */
  readonly estimatedRows?: number | undefined;
}

/** An operator class or a function without which a script fails half-way. */
export interface MissingNeed {
  /** For people: `operator class of gin for type character`. */
  readonly what: string;
  /** Extension that brings it, and whether the database server has that at hand. */
  readonly extension?: { readonly name: string; readonly available: boolean } | undefined;
}

/** What the user that upgrades may do, from the catalogs; nothing was tried. */
export interface StoreRights {
  readonly user: string;
  readonly schema: string;
  readonly canCreateInSchema: boolean;
  /** Tables with their owners. */
  readonly tables: readonly TableRights[];
  /** Sequences that it may not read. */
  readonly unreadableSequences: readonly string[];
  /** Why the database does not tell its own user what that may do; the rest then says nothing. */
  readonly notTold?: string | undefined;
}

export interface TableRights {
  readonly table: string;
  readonly owner: string;
  /** It may alter, index and drop it: it is the owner, a member of the owner's role, or superuser. */
  readonly canAlter: boolean;
  readonly canRead: boolean;
  /** It may insert and update. */
  readonly canWrite: boolean;
}

export interface FreeSpace {
  readonly path: string;
  readonly freeBytes: number;
}

export interface ConnectionUse {
  readonly user: string;
  readonly database: string;
  readonly max: number;
  /** Kept back for superusers and the like. */
  readonly reserved: number;
  /** Limit of the user; absent when it has none. */
  readonly userLimit?: number | undefined;
  /** Limit of the database; absent when it has none. */
  readonly databaseLimit?: number | undefined;
  /** All of the database server but the one that looked, most first. */
  readonly inUse: readonly ConnectionCount[];
}

export interface ConnectionCount {
  readonly user: string;
  readonly database: string;
  readonly application: string;
  readonly count: number;
}

/** Transactions in this database that were open for longer than those of a Temporal server are. */
export interface Blockers {
  readonly transactions: readonly OpenTransaction[];
  /** Sessions of other users that hold locks on the tables, and whose transactions this user may not see. */
  readonly hidden: number;
}

export interface OpenTransaction {
  /** For people: `session 4711` or `prepared transaction "x"`. */
  readonly who: string;
  readonly user: string;
  readonly application: string;
  /** Such as `idle in transaction`. */
  readonly state: string;
  readonly ageMs: number;
  /** When its last statement began, ISO 8601; absent for a prepared transaction. */
  readonly queryStartedAt?: string | undefined;
  /** Beginning of its last statement, without values. */
  readonly query: string;
  /** Locks on Temporal's tables. */
  readonly locks: readonly { readonly table: string; readonly mode: string }[];
  /** Statement that ends it. */
  readonly end: string;
}

export interface WriteMode {
  /** It is a standby: it follows another and takes no writes. */
  readonly inRecovery: boolean;
  /** Transactions of this user in this database are read-only unless they say otherwise. */
  readonly readOnly: boolean;
}

/** Version of the sort order that indexes were built with, and that of the library now; undefined where it has none. */
export interface CollationVersions {
  readonly recorded?: string | undefined;
  readonly actual?: string | undefined;
}

/** What a backup of this store finds on the host of the worker. */
export interface BackupSurvey {
  /** Folder of the target's backups. */
  readonly directory: string;
  /** The folder, or the nearest one above it that is there; unseen when nothing can be written there. */
  readonly space: Seen<FreeSpace>;
  /** Program that can back this database up, such as `/usr/bin/pg_dump 17`. */
  readonly program: Seen<string>;
  /** How many times its size a backup takes of the folder at most: 2 while it is encrypted, 0 for a snapshot of a provider; 1 when absent. */
  readonly copies?: number | undefined;
}

/** Tables in which the servers keep what they know of their cluster. */
export interface ClusterTables {
  readonly records: Seen<readonly ClusterRecord[]>;
  readonly members: Seen<MemberRows>;
  readonly shards: Seen<ShardRows>;
  readonly deadLetters: Seen<DeadLetters>;
}

/** What is stored of a cluster, its own or one that it is connected to. */
export interface ClusterRecord {
  readonly clusterName: string;
  readonly clusterId: string;
  /** The number of the first start: a server uses it whatever its configuration says. */
  readonly historyShardCount: number;
  /** Frontend by which others reach it; empty for most. */
  readonly address: string;
  readonly isGlobalNamespaceEnabled: boolean;
  readonly isConnectionEnabled: boolean;
  readonly initialFailoverVersion: number;
  readonly failoverVersionIncrement: number;
}

/** Rows of `cluster_membership`, the last heartbeat first: those of processes that are gone stay for two days. */
export interface MemberRows {
  /** Clock of the database when they were read, ISO 8601. */
  readonly readAt: string;
  /** Also of those that are not listed. */
  readonly count: number;
  readonly rows: readonly MemberRow[];
}

export interface MemberRow {
  readonly role: string;
  /** host:port of its ring, not of its gRPC service. */
  readonly address: string;
  readonly hostId: string;
  /** ISO 8601, as are the others. */
  readonly sessionStart: string;
  readonly lastHeartbeat: string;
  readonly recordExpiry: string;
}

/** Which ids the table `shards` has. */
export interface ShardRows {
  readonly count: number;
  /** Zero when there are none. */
  readonly lowest: number;
  readonly highest: number;
  /** The first few ids between 1 and the highest that have no row. */
  readonly gaps: readonly number[];
}

/** Messages that the servers could not process and put aside; counting stops at `countedTo`. */
export interface DeadLetters {
  readonly namespaceReplication: number;
  readonly historyTasks: number;
  readonly countedTo: number;
}
