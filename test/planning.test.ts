import { expect, test } from '@jest/globals';
import { parseTarget } from '../src/core/input/input.js';
import { explainReplacements } from '../src/planning.js';
import { planOffline } from '../src/planning-offline.js';
import { targetText } from './helpers/rollout-input.js';

test('every hop says what replaces each server, in the order of the roll; what cannot be said says why', async () => {
  const { nodes } = targetText('live').driver;
  const target = parseTarget({
    ...targetText('live'),
    driver: {
      type: 'command',
      nodes: nodes.map(({ name, role, rpcAddress }) => ({ name, role, rpcAddress })),
      commands: { status: ['status', '{node}'], stop: ['stop', '{node}'], start: ['start', '{node}', '{version}'] },
    },
  });
  const stores = { default: 'postgres12', visibility: 'postgres12' } as const;
  const path = await planOffline({ from: '1.29.7', to: '1.31.2', pins: { '1.30': '1.30.7' }, stores });
  const said = await explainReplacements(target, path);
  expect(said.map(({ from, to }) => `${from} ${to}`)).toEqual(['1.29.7 1.30.7', '1.30.7 1.31.2']);
  expect(said[0]?.nodes.map(({ role }) => role)).toEqual(['matching', 'history', 'frontend', 'worker']);
  expect(said[1]?.nodes[0]).toEqual({
    node: 'matching-1',
    role: 'matching',
    commands: ['stop matching-1', 'start matching-1 1.31.2'],
  });

  const elsewhere = parseTarget({
    ...targetText('live'),
    driver: {
      type: 'systemd',
      nodes: nodes.map(({ name, role, rpcAddress }) => ({
        name,
        role,
        rpcAddress,
        unit: `${name}.service`,
        host: 'no.invalid',
      })),
      versionSwitch: { by: 'dropIn', program: '/opt/{version}/temporal-server' },
    },
  });
  const unsaid = await explainReplacements(elsewhere, path);
  for (const { commands, problem } of unsaid.flatMap((hop) => hop.nodes)) {
    expect(commands).toEqual([]);
    expect(problem).toMatch(/no\.invalid cannot be reached by ssh|"env .*" on no\.invalid/);
  }
});
