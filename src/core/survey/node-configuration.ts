import type { Seen } from './seen.js';

/** What matters of one process's configuration. Names, numbers and yes or no: never a value that could be a secret. */
export interface NodeConfiguration {
  /** Files that were read, in the order in which the server lays one over the other. */
  readonly files: readonly string[];
  readonly numHistoryShards?: number | undefined;
  readonly stores: Readonly<Partial<Record<ConfiguredStore, ConfiguredStoreFacts>>>;
  /** Every setting that is set, by its dotted path. */
  readonly settings: readonly PlacedKey[];
  /** `none` when the process has no such file. */
  readonly dynamic: Seen<'none' | { readonly file: string; readonly keys: readonly PlacedKey[] }>;
  /** Where its ring member says it is, by its own configuration: host:port; absent when that is not written out. */
  readonly ringAddress?: string | undefined;
  readonly broadcastAddress?: string | undefined;
  readonly hasPublicClient: boolean;
  readonly tls: { readonly internode: boolean; readonly frontend: boolean };
  readonly archival: { readonly history: boolean; readonly visibility: boolean };
  readonly clusters: readonly string[];
}

export type ConfiguredStore = 'default' | 'visibility' | 'secondaryVisibility' | 'advancedVisibility';

export interface ConfiguredStoreFacts {
  /** `postgres12`, `cassandra`, `elasticsearch`; absent when the store is of another make. */
  readonly plugin?: string | undefined;
  /** Database, keyspace or index. */
  readonly database?: string | undefined;
  /** Most connections that one process opens to it. */
  readonly maxConns?: number | undefined;
}

/** A key and where it stands. */
export interface PlacedKey {
  readonly key: string;
  readonly file: string;
  readonly line: number;
}
