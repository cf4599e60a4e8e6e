import { describe, expect, test } from '@jest/globals';
import { parseRolloutInput, type RolloutInputText } from '../../../src/core/input/input.js';
import { policyDifferences } from '../../../src/core/input/policy-differences.js';
import { rolloutText } from '../../helpers/rollout-input.js';

type PolicyText = RolloutInputText['policy'];
const linesOf = (policy: PolicyText, more: Partial<RolloutInputText> = {}) =>
  policyDifferences(parseRolloutInput({ ...rolloutText(), policy, ...more })).map(
    ({ field, value, byDefault, reason }) =>
      `${field}: ${value} (${byDefault})${reason === undefined ? '' : `: ${reason}`}`,
  );

test('there are none where nothing is set, or set to what it is by default', () => {
  expect(linesOf({})).toEqual([]);
  expect(
    linesOf({ settle: { atLeast: '10m' }, watchLive: '1 day', gates: { live: ['schema', 'servers', 'promote'] } }),
  ).toEqual([]);
});

describe('each is told as people write it', () => {
  test.each<[PolicyText, string[]]>([
    [
      { settle: { atLeast: '20s', updates: 0, reason: 'eight shards' } },
      ['policy.settle.atLeast: 20s (10m): eight shards', 'policy.settle.updates: 0 (not set): eight shards'],
    ],
    [{ gates: { live: [] } }, ['policy.gates.live: none (schema, servers, promote)']],
    [{ watchLive: 0, onFail: 'rollBack' }, ['policy.onFail: rollBack (incident)', 'policy.watchLive: 0ms (1d)']],
    [{ roll: { quiet: '3s' } }, ['policy.roll.quiet: 3s (10s)']],
    [
      { approval: { live: { count: 2, approvers: ['ada', '*@sre'] } } },
      ['policy.approval.live.approvers: ada, *@sre (not set)', 'policy.approval.live.count: 2 (1)'],
    ],
    [
      { load: { live: { startsPerSecond: 5 } } },
      ['policy.load.live: set (not set)', 'policy.load.live.startsPerSecond: 5 (2)'],
    ],
  ])('%j', (policy, lines) => {
    expect(linesOf(policy)).toEqual(lines);
  });
});

test('a bound of a target is held against that of the policy', () => {
  const { live } = rolloutText();
  expect(linesOf({}, { live: { ...live, bounds: { latencyFactor: 100 } } })).toEqual([
    expect.stringMatching(/^live\.bounds\.latencyFactor: 100 \([\d.]+\)$/),
  ]);
});

test('of channels only the kind is told: the address of a webhook may be a secret', () => {
  const channels = [
    { type: 'slack' as const, url: 'https://hooks.example.com/a-secret-path' },
    { type: 'webhook' as const, url: { env: 'HOOK' }, key: { env: 'KEY' } },
  ];
  expect(linesOf({ notices: { channels } })).toEqual(['policy.notices.channels: slack, webhook (none)']);
});
