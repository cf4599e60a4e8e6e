import { expect, test } from '@jest/globals';
import { copiesOf } from '../../../src/adapters/cassandra/cassandra-inspect.js';

test.each<[Record<string, string>, number]>([
  [{ class: 'org.apache.cassandra.locator.SimpleStrategy', replication_factor: '3' }, 3],
  [{ class: 'org.apache.cassandra.locator.NetworkTopologyStrategy', dc1: '3', dc2: '2' }, 5],
  // Three copies, of which one is transient.
  [{ class: 'org.apache.cassandra.locator.NetworkTopologyStrategy', dc1: '3/1' }, 3],
  [{ class: 'org.apache.cassandra.locator.LocalStrategy' }, 1],
])('copies of each row by %j', (replication, copies) => {
  expect(copiesOf(replication)).toBe(copies);
});
