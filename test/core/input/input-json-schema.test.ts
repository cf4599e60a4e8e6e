import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { rolloutJsonSchema } from '../../../src/core/input/input-json-schema.js';

const COMMITTED = new URL('../../../docs/rollout.schema.json', import.meta.url);

test('the committed schema is that of the code; else write it anew: bin/temporal-upgrade schema > docs/rollout.schema.json', async () => {
  expect(JSON.parse(await readFile(COMMITTED, 'utf8'))).toEqual(JSON.parse(JSON.stringify(rolloutJsonSchema())));
});

test('it is of what an operator writes: what has a default may be left out, spans of time are text', () => {
  const schema = rolloutJsonSchema();
  expect(schema).toMatchObject({ $id: 'urn:temporal-upgrade:rollout', type: 'object', additionalProperties: false });
  expect(schema['required']).toEqual(['to', 'staging', 'live']);
  // Spans of time are numbers or text on the way in, though numbers once parsed.
  expect(schema).toHaveProperty('properties.policy.properties.watchLive.anyOf.1.type', 'string');
  expect(schema).toHaveProperty('properties.policy.properties.watchLive.default', 86_400_000);
});
