import { expect, test } from '@jest/globals';
import { oldSetKeys } from '../../../src/core/charts/set-keys.js';

test('keys that are set one by one are not moved, so old ones among them are named', () => {
  const keys = [
    'server.image.tag',
    'server.internalFrontend.enabled',
    'schema.update.enabled',
    'server.metrics.tagsOf',
  ];
  expect(oldSetKeys(keys, '0.74.0')).toEqual([]);
  expect(oldSetKeys(keys, '1.6.0')).toMatchObject([
    {
      key: 'server.internalFrontend.enabled',
      action: expect.stringContaining('server.internal-frontend'),
      stops: true,
    },
    { key: 'schema.update.enabled', action: expect.stringContaining('datastores'), stops: true },
  ]);
  expect(oldSetKeys(['server.config.numHistoryShards'], '1.6.0')).toMatchObject([{ stops: false }]);
});
