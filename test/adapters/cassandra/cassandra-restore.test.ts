import { expect, test } from '@jest/globals';
import { createStore } from '../../../src/adapters/stores.js';
import { createToolResolver } from '../../../src/adapters/tools/tool-resolver.js';
import { CassandraStore } from '../../../src/core/input/input.js';
import { failureOf } from '../../helpers/failure-of.js';

test('the restore of visibility is refused before anything is asked of Cassandra, and so before anything is emptied', async () => {
  // Nobody listens there: whatever asked first would say so.
  const input = CassandraStore.parse({ type: 'cassandra', hosts: ['127.0.0.1'], port: 1, keyspace: 'visible' });
  const { restore } = createStore(input, 'visibility', createToolResolver());
  const order = { file: 'nowhere', sha256: '', schema: '1.7', stamp: '20260101100000' };
  for (const refused of [restore.findWay(), restore.bring(order), restore.takePlace(order)]) {
    expect((await failureOf(refused)).message).toMatch(/^keyspace "visible" cannot be restored as visibility/);
  }
});
