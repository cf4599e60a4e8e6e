import semver from 'semver';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { Finding } from '../finding.js';
import { partsOf } from './moves.js';
import type { StoreKind, StorePart, Stores } from '../plan.js';
import { isIn } from '../catalogue/rule-parts.js';
import { type Rules } from '../catalogue/rules.js';

/** A database product and its version, such as `PostgreSQL` and `15.18`. */
export interface DatabaseVersion {
  readonly product: string;
  readonly version: string;
}

/** What is known of the databases below the stores. */
export type Databases = Partial<Record<StorePart, DatabaseVersion>>;

type DatabaseRule = Rules['databases'][number];

/** Databases that a server version takes for a kind of store. */
export function acceptedDatabases(catalogue: Catalogue, server: string, kind: StoreKind): DatabaseRule[] {
  return catalogue.rules.databases.filter(({ store, servers }) => store === kind && isIn(server, servers));
}

/** Whether a server version takes this database. A product that no rule names is not taken. */
export function isAccepted(rules: readonly DatabaseRule[], { product, version }: DatabaseVersion): boolean {
  const plain = semver.coerce(version);
  return rules.some((rule) => rule.product === product && plain !== null && semver.satisfies(plain, rule.accepts));
}

/** What the hop from one server version to the next asks of the databases below the stores. */
export function databaseFindings(
  catalogue: Catalogue,
  hop: { readonly from: string; readonly to: string; readonly stores: Stores },
  databases: Databases,
): Finding[] {
  return partsOf(hop.stores).flatMap(({ part, kind }): Finding[] => {
    const rules = acceptedDatabases(catalogue, hop.to, kind);
    const accepted = rules.map(({ product, accepts }) => `${product} ${accepts}`).join(' or ');
    const source = rules.map((rule) => rule.source).join('; ');
    const present = databases[part];
    if (rules.length === 0 || (present !== undefined && isAccepted(rules, present))) return [];
    const before = acceptedDatabases(catalogue, hop.from, kind);
    if (present !== undefined) {
      // A product that nobody names for the servers that run on it already: the hop takes nothing away that was promised.
      const wasNamed = [...before, ...rules].some(({ product }) => product === present.product);
      return [
        {
          id: 'database-not-accepted',
          severity: wasNamed ? 'block' : 'warn',
          found: `the ${part} store is ${present.product} ${present.version}`,
          expected: `${accepted}, which server ${hop.to} takes`,
          action: wasNamed
            ? `Bring the database there while the servers run ${hop.from}`
            : `Nobody supports it: what staging shows is all that is known of ${hop.to} on it`,
          source,
        },
      ];
    }
    // Nothing is known of the database: worth a word where a hop asks for more than the one before.
    const stillTaken = before.every(({ product, accepts }) =>
      rules.some((rule) => rule.product === product && semver.subset(accepts, rule.accepts)),
    );
    if (stillTaken) return [];
    return [
      {
        id: 'database-version',
        severity: 'warn',
        found: `server ${hop.to} does not take every database that ${hop.from} takes for the ${part} store`,
        expected: accepted,
        action: `See which version runs, and bring it there while the servers run ${hop.from}`,
        source,
      },
    ];
  });
}
