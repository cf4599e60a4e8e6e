import { describe, expect, test } from '@jest/globals';
import { compareTemplate, flat, keepOwn } from '../../../src/core/schema/search-template.js';

const WANTED = { RunId: { type: 'keyword' }, CloseTime: { type: 'date_nanos' } };
/** As the scripts of the servers have it. */
const OF_SERVERS = flat({
  index: {
    number_of_shards: '1',
    number_of_replicas: '0',
    auto_expand_replicas: '0-2',
    'search.idle.after': '365d',
    'sort.field': ['CloseTime', 'StartTime', 'RunId'],
    'sort.order': ['desc', 'desc', 'desc'],
    'sort.missing': ['_first', '_first', '_first'],
  },
});

describe('how the template of new indexes differs', () => {
  test('none is there', () => {
    const look = compareTemplate('visibility', undefined, WANTED);
    expect(look).toEqual({ name: 'visibility', present: false, lacks: [], otherwise: [], ownSettings: [] });
  });

  test('it is that of the servers, with a field of its owner', () => {
    const columns = { ...WANTED, OrderNumber: { type: 'long' } };
    expect(compareTemplate('visibility', { columns, settings: OF_SERVERS }, WANTED)).toEqual({
      ...{ name: 'visibility', present: true, lacks: [], otherwise: [], ownSettings: [] },
    });
  });

  test('fields are missing or of another type, and settings are its owner’s', () => {
    const others = Object.fromEntries(
      Object.entries(OF_SERVERS).filter(([key]) => key !== 'index.auto_expand_replicas'),
    );
    const settings = { ...others, 'index.number_of_replicas': 2, 'index.codec': 'best_compression' };
    expect(compareTemplate('visibility', { columns: { CloseTime: { type: 'date' } }, settings }, WANTED)).toEqual({
      name: 'visibility',
      present: true,
      lacks: ['RunId (keyword)'],
      otherwise: ['CloseTime is date, expected date_nanos'],
      ownSettings: [
        'index.number_of_replicas is "2", and "0" in that of the servers',
        'index.codec is "best_compression", and not set in that of the servers',
        'index.auto_expand_replicas is not set, and "0-2" in that of the servers',
      ],
    });
  });
});

describe('the template that is sent', () => {
  const wanted = {
    order: 0,
    index_patterns: ['temporal_visibility_v1*'],
    settings: { index: { number_of_replicas: '0', auto_expand_replicas: '0-2' } },
    mappings: { dynamic: 'false', properties: { RunId: { type: 'keyword' } } },
    aliases: {},
  };

  test('is that of the servers where there is none', () => expect(keepOwn(wanted, undefined)).toEqual(wanted));

  test('keeps what its owner set, also what he took out: copies, patterns of names, order, fields', () => {
    const live = {
      order: 5,
      index_patterns: ['visibility-*'],
      settings: { index: { number_of_replicas: '2', codec: 'best_compression' } },
      mappings: { properties: { OrderNumber: { type: 'long' }, RunId: { type: 'text' } } },
    };
    expect(keepOwn(wanted, live)).toEqual({
      order: 5,
      index_patterns: ['visibility-*'],
      settings: { index: { number_of_replicas: '2', codec: 'best_compression' } },
      mappings: { dynamic: 'false', properties: { OrderNumber: { type: 'long' }, RunId: { type: 'keyword' } } },
      aliases: {},
    });
  });
});
