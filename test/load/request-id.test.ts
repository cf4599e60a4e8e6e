import { expect, test } from '@jest/globals';
import { requestIdOf } from '../../src/load/request-id.js';

test('the id of a request is a UUID, the same for the same words alone', () => {
  const id = requestIdOf('canary-1', 'signal-2');
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(requestIdOf('canary-1', 'signal-2')).toBe(id);
  expect(requestIdOf('canary-1', 'signal-3')).not.toBe(id);
});
