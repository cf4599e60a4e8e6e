import { describe, expect, test } from '@jest/globals';
import {
  annotationWith,
  recordsOf,
  textWith,
  textWithout,
  type MapRecord,
} from '../../../src/adapters/kubernetes/map-record.js';
import { ConfigMapShape } from '../../../src/adapters/kubernetes/shapes.js';

const FILE = 'configmap/temporal-dynamic-config: dynamic_config.yaml';
const TEXT = '# ours\nfrontend.rps:\n  - value: 4711 # as asked for\n';
const DRAIN = { key: 'frontend.shutdownDrainDuration', value: '75s' };
const ALIGN = { key: 'history.alignMembershipChange', value: '10s' };
const now = new Date('2026-11-30T12:00:00Z');
const owners = [{ manager: 'helm', operation: 'Apply' }];
const write = (text: string, record: MapRecord | undefined, ...settings: { key: string; value: string }[]) =>
  textWith(FILE, { text, record, settings }, { now, owners });

test('settings come at its end, and go byte by byte', () => {
  const { text, record, isThere } = write(TEXT, undefined, DRAIN, ALIGN);
  expect(text.startsWith(TEXT)).toBe(true);
  expect(text).toContain('frontend.shutdownDrainDuration:\n  - value: 75s');
  expect(isThere).toBe(false);
  expect(record).toMatchObject({ at: now.toISOString(), before: TEXT, written: [DRAIN, ALIGN], kept: [], owners });
  expect(textWithout(FILE, text, record)).toBe(TEXT);
});

test('an empty one, as the chart has it, gets them and is empty again', () => {
  const { text, record } = write('', undefined, DRAIN);
  expect(text).toContain('75s');
  expect(textWithout(FILE, text, record)).toBe('');
});

test('written again nothing has to be changed; others take the place of what was written', () => {
  const first = write(TEXT, undefined, DRAIN);
  const again = write(first.text, first.record, DRAIN);
  expect(again).toMatchObject({ isThere: true, text: first.text, record: { at: first.record.at, before: TEXT } });
  const other = textWith(
    FILE,
    { text: first.text, record: first.record, settings: [ALIGN] },
    { now: new Date(now.getTime() + 1), owners: [] },
  );
  expect(other).toMatchObject({ isThere: false, record: { before: TEXT, written: [ALIGN], owners } });
  expect(other.record.at).not.toBe(first.record.at);
  expect(other.text).not.toContain('75s');
});

test('what the operator has set stays and is named, whatever its letters', () => {
  const own = 'History.AlignMembershipChange:\n  - value: 5s\n';
  const { text, record } = write(own, undefined, ALIGN);
  expect(text).toBe(own);
  expect(record).toMatchObject({ written: [], kept: ['history.alignMembershipChange'] });
});

describe('somebody writes it meanwhile', () => {
  const { text, record } = write(TEXT, undefined, DRAIN, ALIGN);

  test('ours alone are taken out of theirs', () => {
    const theirs = text.replace('4711', '42');
    expect(textWithout(FILE, theirs, record)).toBe(TEXT.replace('4711', '42'));
  });

  test('a key of ours that has another value now is theirs', () => {
    const theirs = text.replace('75s', '20s');
    expect(textWithout(FILE, theirs, record)).toContain('20s');
    expect(textWithout(FILE, theirs, record)).not.toContain('alignMembershipChange');
  });

  test('all of it was written back: what is there counts, and nothing of ours is left', () => {
    expect(textWithout(FILE, TEXT, record)).toBe(TEXT);
    expect(write(TEXT, record, DRAIN, ALIGN)).toMatchObject({ isThere: false, text });
  });

  test('set aside, another text is not taken for ours, and gets the settings anew', () => {
    const aside: MapRecord = { ...record, aside: true };
    const theirs = 'frontend.rps:\n  - value: 1\n';
    expect(textWithout(FILE, theirs, aside)).toBe(theirs);
    const back = write(theirs, aside, DRAIN, ALIGN);
    expect(back).toMatchObject({ isThere: false, record: { before: theirs, at: record.at } });
    expect(back.record).not.toHaveProperty('aside');
    // The same settings as there were: the text alone does not tell.
    expect(write(text, aside, DRAIN, ALIGN).isThere).toBe(false);
  });
});

describe('the annotation', () => {
  const mapWith = (annotations: object) =>
    ConfigMapShape.parse({ metadata: { name: 'm', uid: 'u', creationTimestamp: 'then', annotations } });

  test('has a record for each key, and goes with the last one', () => {
    const { record } = write(TEXT, undefined, DRAIN);
    const text = annotationWith({ other: record }, 'dynamic_config.yaml', record) ?? '';
    const records = recordsOf(mapWith({ 'temporal-upgrade/settings': text }));
    expect(records).toEqual({ other: record, 'dynamic_config.yaml': record });
    expect(annotationWith({ other: record }, 'other', undefined)).toBeNull();
    expect(recordsOf(mapWith({}))).toEqual({});
  });

  test.each(['', '{', '{"a":{}}'])('that is none of ours is said, and nothing is guessed: %j', (text) => {
    expect(() => recordsOf(mapWith({ 'temporal-upgrade/settings': text }))).toThrow(
      /annotation temporal-upgrade\/settings of configmap\/m cannot be read/,
    );
  });
});
