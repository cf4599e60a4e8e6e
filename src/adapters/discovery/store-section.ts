import type { StorePart } from '../../core/stores.js';
import type { FoundPlace } from '../process/configuration-facts.js';
import { TO_FILL_IN } from './commented.js';

export interface StoreToDescribe {
  /** Where it is; undefined where no configuration of it was seen. */
  readonly found: FoundPlace | undefined;
  /** Its make, in the server's own word: `postgres12`. */
  readonly named: string;
  /** Of its target. */
  readonly name: string;
}

/** A store of a target file. */
export function storeSection(part: StorePart, { found: seen, named, name }: StoreToDescribe): object {
  const found = seen ?? unknownPlace(named, part);
  const password = { env: passwordOf(name) };
  if ('hosts' in found) {
    const { hosts, port, keyspace, datacenter, user, tls } = found;
    return {
      ...{ type: 'cassandra', hosts },
      ...(port === undefined || port === CASSANDRA_PORT ? {} : { port }),
      keyspace,
      ...(user === undefined ? {} : { user, password }),
      ...(datacenter === undefined ? {} : { datacenter }),
      ...(tls ? { tls } : {}),
    };
  }
  if ('url' in found) {
    const { url, index, user } = found;
    return { type: 'elasticsearch', url, index, ...(user === undefined ? {} : { user, password }) };
  }
  const { type, usualPlugin, usualPort } = sqlKindOf(named);
  const { host, port = usualPort, database, user = TO_FILL_IN, plugin, tls } = found;
  return {
    type,
    ...(plugin === usualPlugin ? {} : { plugin }),
    host,
    ...(port === usualPort ? {} : { port }),
    database,
    user,
    password,
    ...(tls ? { tls } : {}),
  };
}

const CASSANDRA_PORT = 9042;

/** Of a store that no configuration was seen of: its make alone, as the frontend says it. */
function unknownPlace(named: string, part: StorePart): FoundPlace {
  const database = `${TO_FILL_IN}-${part}`;
  const common = { port: undefined, user: undefined, tls: false };
  if (named === 'cassandra') return { ...common, hosts: [TO_FILL_IN], keyspace: database, datacenter: undefined };
  if (named === 'elasticsearch')
    return { url: `https://${TO_FILL_IN}`, index: database.toLowerCase(), user: undefined };
  return { ...common, host: TO_FILL_IN, database, plugin: named };
}

/** What the input leaves out where it is as usual. */
function sqlKindOf(plugin: string) {
  return plugin.startsWith('mysql')
    ? { type: 'mysql', usualPlugin: 'mysql8', usualPort: 3306 }
    : { type: 'postgresql', usualPlugin: 'postgres12', usualPort: 5432 };
}

/** Name of the variable that a worker gets the password of a target's databases by. */
export function passwordOf(name: string): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_DB_PASSWORD`;
}
