import { expect, test } from '@jest/globals';
import { DriverInput, parseRolloutInput } from '../../../src/core/input/input.js';
import { problemsOf } from '../../../src/core/input/input-problems.js';
import { InvalidRolloutError } from '../../../src/core/errors.js';
import { rolloutText } from '../../helpers/rollout-input.js';

const PLAIN = { type: 'kubernetes', namespace: 'temporal', release: 'temporal', change: { by: 'image' } };
const WORKLOADS = {
  frontend: 'deployment/f',
  history: 'statefulset/h',
  matching: 'deployment/m',
  worker: 'deployment/w',
};
const HELM = { by: 'helm', chart: 'temporal/temporal' };

function told(more: object): Record<string, string> {
  const result = DriverInput.safeParse({ ...PLAIN, ...more });
  if (result.success) return {};
  return Object.fromEntries(problemsOf(result.error).map(({ path, message }) => [path, message]));
}

test('a right one gets its defaults, and can be parsed again', () => {
  const parsed = DriverInput.parse({ ...PLAIN, change: HELM });
  expect(parsed).toMatchObject({
    rpcPorts: { frontend: 7233, history: 7234, matching: 7235, 'internal-frontend': 7236, worker: 7239 },
    metricsPort: 9090,
    images: { tag: '{version}' },
    change: { helm: ['helm'], set: { 'server.image.tag': '{tag}' }, values: [], timeout: 300_000 },
    stopTimeout: 120_000,
  });
  expect(DriverInput.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  expect(told({ release: undefined, workloads: WORKLOADS })).toEqual({});
});

test.each([
  [{ release: undefined }, 'release', /name the release of the chart, or the workload of each role/],
  [{ release: undefined, workloads: WORKLOADS, change: HELM }, 'release', /helm upgrades a release/],
  [
    { workloads: { ...WORKLOADS, history: undefined } },
    'workloads.history',
    /no workload is named for the role history/,
  ],
  [{ workloads: { ...WORKLOADS, history: 'daemonset/h' } }, 'workloads.history', /"statefulset\/temporal-history"/],
  [{ images: { tag: 'latest' } }, 'images.tag', /\{version\}/],
  [{ change: { by: 'command', command: ['write'] } }, 'change.command', /\{version\}/],
  [{ change: { by: 'kustomize' } }, 'change.by', /./],
  [{ kubeconfig: 'kubeconfig' }, 'kubeconfig', /absolute path/],
])('%j is told', (more, path, message) => {
  expect(told(more)[path]).toMatch(message);
});

test('several pods at a time cannot be had, and that is said', () => {
  const { staging, live } = rolloutText();
  const input = { to: '1.31', staging, live: { ...live, driver: PLAIN }, policy: { roll: { batch: 2 } } };
  const problems = () => {
    try {
      return parseRolloutInput(input);
    } catch (error) {
      return error instanceof InvalidRolloutError ? error.problems : error;
    }
  };
  expect(problems()).toEqual([
    {
      path: 'policy.roll.batch',
      message: expect.stringMatching(/2 at a time cannot be had of the driver kubernetes \(live\)/),
    },
  ]);
  expect(parseRolloutInput({ ...input, policy: {} }).live.driver.type).toBe('kubernetes');
});
