import type { Check } from '../survey/survey.js';
import { backups } from './backup.js';
import { blockers } from './blockers.js';
import { collation } from './collation.js';
import { connections } from './connections.js';
import { databaseVersion } from './database-version.js';
import { deadLetters } from './dead-letters.js';
import { rewriteSpace } from './rewrite-space.js';
import { schemaVersionCheck } from './schema-version.js';
import { scriptNeeds } from './script-needs.js';
import { searchHealth } from './search-health.js';
import { searchTemplate } from './search-template.js';
import { storeNodes } from './store-nodes.js';
import { storeReached } from './store-reached.js';
import { storeRights } from './store-rights.js';
import { storeShape } from './store-shape.js';
import { unfinishedStep } from './unfinished-step.js';
import { storeTables } from './store-tables.js';
import { storedShards } from './stored-shards.js';
import { writeMode } from './write-mode.js';

/** All that is looked at about the databases of a target, in the order in which people read it. */
export const storeChecks: readonly Check[] = [
  storeReached,
  storeTables,
  schemaVersionCheck,
  storeShape,
  unfinishedStep,
  databaseVersion,
  storeNodes,
  searchHealth,
  searchTemplate,
  writeMode,
  storeRights,
  scriptNeeds,
  rewriteSpace,
  backups,
  connections,
  blockers,
  storedShards,
  collation,
  deadLetters,
];
