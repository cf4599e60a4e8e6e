import { expect, test } from '@jest/globals';
import { decodeClusterRow } from '../../../src/adapters/store-parts/cluster-record.js';

/** As protobuf writes it, field by field: tag, then value. */
const DATA = Buffer.from(
  [
    '0a03656173', // 1, name: eas
    '108004', // 2, shards: 512
    '1a026964', // 3, id
    '3209' + '6f746865723a373233', // 6, address: other:723
    '380a', // 7, increment: 10
    '4002', // 8, failover version: 2
    '4801', // 9, global namespaces
    '62030a0161', // 12, tags, which nobody asks for
    '7001', // 14, of newer servers
  ].join(''),
  'hex',
);

test('decodes what a server stored, whatever else it stored', () => {
  expect(decodeClusterRow({ cluster_name: 'eas', data: DATA, data_encoding: 'Proto3' })).toEqual({
    clusterName: 'eas',
    clusterId: 'id',
    historyShardCount: 512,
    address: 'other:723',
    failoverVersionIncrement: 10,
    initialFailoverVersion: 2,
    isGlobalNamespaceEnabled: true,
    isConnectionEnabled: false,
  });
});

test('refuses another encoding', () => {
  expect(() => decodeClusterRow({ cluster_name: 'a', data: DATA, data_encoding: 'Json' })).toThrow(
    'the record of cluster "a" is written as "Json"',
  );
});
