import { expect, test } from '@jest/globals';
import { findDynamicConfig, placeOnHost } from '../../../src/adapters/compose/dynamic-config.js';

const binds = [
  { from: '/srv/temporal', to: '/etc/temporal' },
  { from: '/srv/dynamicconfig', to: '/etc/temporal/config/dynamicconfig' },
];

test('a path of a container is found through the innermost folder that is mounted over it', () => {
  expect(placeOnHost('/etc/temporal/config/dynamicconfig/live.yaml', binds)).toEqual({
    file: '/srv/dynamicconfig/live.yaml',
  });
  expect(placeOnHost('/etc/temporal/x.yaml', binds)).toEqual({ file: '/srv/temporal/x.yaml' });
  expect(placeOnHost('/x.yaml', [{ from: '/srv/root', to: '/' }])).toEqual({ file: '/srv/root/x.yaml' });
});

test('what is in the image, or mounted as one file, cannot be edited, and that is said', () => {
  expect(placeOnHost('/etc/temporalish/x.yaml', binds).unreached).toMatch(/mounted from no folder.*\/etc\/temporalish/);
  const single = [...binds, { from: '/srv/x.yaml', to: '/etc/temporal/x.yaml' }];
  expect(placeOnHost('/etc/temporal/x.yaml', single).unreached).toMatch(/single file.*mount the folder/);
});

test('the images of Temporal name the file by a variable, from their own folder on', async () => {
  const service = { service: 'history', configDir: undefined, configEnv: 'docker' };
  const env = new Map([['DYNAMIC_CONFIG_FILE_PATH', 'config/dynamicconfig/live.yaml']]);
  const container = { env, workingDir: '/etc/temporal', binds, logFile: '/nowhere/x.log' };
  expect(await findDynamicConfig(container, service)).toEqual({ file: '/srv/dynamicconfig/live.yaml' });
  const without = await findDynamicConfig({ ...container, env: new Map() }, service);
  expect(without.unreached).toMatch(/"configDir".*DYNAMIC_CONFIG_FILE_PATH/);
});
