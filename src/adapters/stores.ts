import type { StoreInput } from '../core/input/input.js';
import { createCassandraStore } from './cassandra/cassandra-store.js';
import { createSearchStore } from './elasticsearch/search-store.js';
import { createMysqlStore } from './mysql/mysql-store.js';
import { createPostgresStore } from './postgres/postgres-store.js';
import type { Store, StoreRole } from './store.js';
import type { ToolResolver } from './tools/tools.js';

/** The store that an input describes. A new kind of store is one case here. */
export function createStore(input: StoreInput, kind: StoreRole, tools: ToolResolver): Store {
  switch (input.type) {
    case 'cassandra':
      return createCassandraStore(input, kind, tools);
    case 'elasticsearch':
      return createSearchStore(input, kind, tools);
    case 'mysql':
      return createMysqlStore(input, kind, tools);
    case 'postgresql':
      return createPostgresStore(input, kind, tools);
  }
}
