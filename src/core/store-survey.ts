import type { DatabaseVersion } from './databases.js';
import type { Seen } from './seen.js';

/** One database of a target as it was seen. */
export interface StoreSurvey {
  /** For people: `database "temporal" at db:5432`. */
  readonly place: string;
  readonly database: Seen<DatabaseVersion>;
  readonly schemaVersion: Seen<string>;
}
