import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { addSettings, removeSettings } from '../../../src/adapters/dynamic-config/edit-settings.js';
import { PreconditionError } from '../../../src/core/errors.js';

const FILE = '/etc/temporal/dynamic.yaml';
const SETTINGS = [
  { key: 'history.alignMembershipChange', value: '10s' },
  { key: 'frontend.shutdownDrainDuration', value: '75s' },
];
const add = (text: string) => addSettings(FILE, text, SETTINGS);
const remove = (text: string) => removeSettings(FILE, text, SETTINGS);

const OPERATORS = `# of the platform team

# ask before you change it
frontend.rps:
  - value: 0012 # not twelve for Go
    constraints: { namespace: "a b" }
  - value: 12345678901234567890

history.x:
  - value: yes
  - value: ~
  - value:
    constraints: {}
component.callback.template:
  - value: "http://x/{{.NamespaceName}}/y"
shared: &shared
  - value: 1.50
other: *shared
# the end
`;

test('keys are added at the end; comments, order and the way values are written stay', () => {
  const { text, added, kept } = add(OPERATORS);
  expect(added).toEqual(SETTINGS);
  expect(kept).toEqual([]);
  for (const line of OPERATORS.split('\n').filter((one) => one !== ''))
    expect(text).toContain(line.replaceAll('{ namespace: "a b" }', '{namespace: "a b"}'));
  expect(text).toMatch(
    /other: \*shared\n# Set by temporal-upgrade .*\nhistory\.alignMembershipChange:\n {2}- value: 10s\nfrontend\.shutdownDrainDuration:\n {2}- value: 75s\n/,
  );
});

test.each<[string, string, unknown]>([
  ['nothing', '', {}],
  ['comments alone', '# nothing yet\n', {}],
  ['an empty map', '{}\n', {}],
  ['JSON', '{"frontend.rps": [{"value": 5}]}', { 'frontend.rps': [{ value: 5 }] }],
  ['lists that are not indented', 'frontend.rps:\n- value: 5\n', { 'frontend.rps': [{ value: 5 }] }],
  ['a document mark, and no end of line', '---\nfrontend.rps:\n  - value: 5', { 'frontend.rps': [{ value: 5 }] }],
  ['ends of line of Windows', 'frontend.rps:\r\n  - value: 5\r\n', { 'frontend.rps': [{ value: 5 }] }],
])('a file with %s', (_, before, content) => {
  const { text } = add(before);
  expect(parse(text)).toEqual({
    ...(content as object),
    'history.alignMembershipChange': [{ value: '10s' }],
    'frontend.shutdownDrainDuration': [{ value: '75s' }],
  });
  expect(parse(remove(text).text) ?? {}).toEqual(content);
});

test('a key of the operator stays, in whatever letters, and adding twice adds nothing', () => {
  const own = 'History.AlignMembershipChange:\n  - value: 3s\n';
  const { text, added, kept } = add(own);
  expect(kept).toEqual(['history.alignMembershipChange']);
  expect(added.map(({ key }) => key)).toEqual(['frontend.shutdownDrainDuration']);
  expect(text).toContain(own);
  expect(add(text)).toMatchObject({ text, added: [] });
});

test('a key that the operator set to another value since stays, and what was never there is not missed', () => {
  const { text, removed, changed } = remove(
    'history.alignMembershipChange:\n  - value: 3s\n    constraints: {}\nfrontend.rps:\n  - value: 5\n',
  );
  expect({ removed, changed }).toEqual({ removed: [], changed: ['history.alignMembershipChange'] });
  expect(text).toContain('3s');
});

test('keys of ours go from a file that somebody changed since, theirs stay', () => {
  const changed = add(OPERATORS).text.replace('frontend.rps:', 'frontend.new:\n  - value: 1\nfrontend.rps:');
  const { text, removed } = remove(changed);
  expect(removed).toEqual(SETTINGS.map(({ key }) => key));
  expect(text).not.toContain('temporal-upgrade');
  expect(parse(text)).toEqual({ ...(parse(OPERATORS) as object), 'frontend.new': [{ value: 1 }] });
});

test.each([
  ['no YAML', 'a: b\nsecret: "hunter2\n', /dynamic\.yaml is no valid YAML \(line \d\)/],
  ['a key twice, which the server refuses too', 'a: 1\na: hunter2\n', /no valid YAML \(line 2\)/],
  ['two documents', 'a: 1\n---\nb: hunter2\n', /no valid YAML/],
  ['a list', '- hunter2\n', /holds no settings at its top/],
])('refuses %s without quoting it', (_, text, message) => {
  for (const edit of [add, remove]) {
    expect(() => edit(text)).toThrow(PreconditionError);
    expect(() => edit(text)).toThrow(message);
    expect(() => edit(text)).not.toThrow(/hunter2/);
  }
});

describe('laws', () => {
  const value = fc.oneof(
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.constant(null),
    fc.dictionary(fc.stringMatching(/^[a-zA-Z]\w{0,8}$/), fc.oneof(fc.string(), fc.integer())),
  );
  const entry = fc.record({
    value,
    constraints: fc.dictionary(fc.constantFrom('namespace', 'taskQueueName'), fc.string()),
  });
  const content = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}(\.[a-zA-Z]{1,12}){1,2}$/),
    fc.array(entry, { maxLength: 3 }),
  );

  test('whatever stands there means the same with our keys beside it, and after they are gone', () => {
    fc.assert(
      fc.property(content, fc.boolean(), (settings, flow) => {
        const before = flow ? JSON.stringify(settings) : stringify(settings);
        // As the file says it, which is not always what was written: JSON has no -0.
        const said = (parse(before) ?? {}) as typeof settings;
        const { text } = add(before);
        const after = parse(text) as typeof settings;
        for (const [key, values] of Object.entries(said)) expect(after[key]).toEqual(values);
        expect(parse(remove(text).text) ?? {}).toEqual(said);
      }),
    );
  });
});
