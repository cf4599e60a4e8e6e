import type { StoreInput } from '../core/input/input.js';
import type { StoreRole } from './postgres/postgres-inspect.js';
import { createPostgresStore } from './postgres/postgres-store.js';
import type { Store } from './store.js';
import type { ToolResolver } from './tools/tools.js';

/** The store that an input describes. A new kind of store is one case here. */
export function createStore(input: StoreInput, kind: StoreRole, tools: ToolResolver): Store {
  switch (input.type) {
    case 'postgresql':
      return createPostgresStore(input, kind, tools);
  }
}
