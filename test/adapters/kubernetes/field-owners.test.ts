import { expect, test } from '@jest/globals';
import { givenBack, ownersOf } from '../../../src/adapters/kubernetes/field-owners.js';

const KEY = 'dynamic_config.yaml';
const of = (...managedFields: object[]) => ({ metadata: { managedFields } });
const helm = (fieldsV1: object) => ({ manager: 'helm', operation: 'Apply', apiVersion: 'v1', fieldsV1 });
const ours = (fieldsV1: object) => ({ manager: 'temporal-upgrade', operation: 'Update', apiVersion: 'v1', fieldsV1 });
const annotation = { 'f:metadata': { 'f:annotations': { 'f:temporal-upgrade/settings': {} } } };
const data = (...keys: string[]) => ({ 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) });

test('who owns a key, beside this tool', () => {
  const map = of(helm(data(KEY, 'other')), { manager: 'kubectl-edit', operation: 'Update', fieldsV1: data('other') });
  expect(ownersOf(map, KEY)).toEqual([{ manager: 'helm', operation: 'Apply' }]);
  expect(ownersOf(of(ours(data(KEY))), KEY)).toEqual([]);
  expect(ownersOf({ metadata: {} }, KEY)).toEqual([]);
});

test('it is taken from this tool and given back, also to one that had nothing else', () => {
  const written = of(helm(data('other')), ours({ ...data(KEY), ...annotation }));
  const helmOwned = [{ manager: 'helm', operation: 'Apply' }];
  expect(givenBack(written, KEY, helmOwned)).toEqual([helm(data('other', KEY)), ours(annotation)]);
  expect(givenBack(of(ours(data(KEY))), KEY, helmOwned)).toEqual([
    expect.objectContaining({ manager: 'helm', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: data(KEY) }),
  ]);
  // Done twice it is done once.
  const again = of(helm(data('other', KEY)), ours(annotation));
  expect(givenBack(again, KEY, helmOwned)).toEqual(again.metadata.managedFields);
});
