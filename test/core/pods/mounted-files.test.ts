import { expect, test } from '@jest/globals';
import { mapsOf, mapsThatWouldHold, mountedFiles } from '../../../src/core/pods/mounted-files.js';

/** As the official chart has them since 1.0, with what people add. */
const volumes = [
  { name: 'config', configMap: { name: 'temporal-config' } },
  {
    name: 'dynamic-config',
    configMap: {
      name: 'temporal-dynamic-config',
      items: [{ key: 'dynamic_config.yaml', path: 'dynamic_config.yaml' }],
    },
  },
  { name: 'both', projected: { sources: [{}, { configMap: { name: 'more', items: [{ key: 'a', path: 'sub/b' }] } }] } },
  { name: 'secret' },
];
const mounts = [
  { name: 'config', mountPath: '/etc/temporal/config/config_template.yaml', subPath: 'config_template.yaml' },
  { name: 'dynamic-config', mountPath: '/etc/temporal/dynamic_config' },
  { name: 'both', mountPath: '/more/' },
  { name: 'both', mountPath: '/part', subPath: 'sub' },
  { name: 'secret', mountPath: '/secret' },
  { name: 'unknown', mountPath: '/unknown' },
];
const data: Readonly<Record<string, Record<string, string>>> = {
  'temporal-config': { 'config_template.yaml': 'config', other: 'not shown' },
  'temporal-dynamic-config': { 'dynamic_config.yaml': 'dynamic', 'notes.txt': 'not among the items' },
  more: { a: 'of a projected volume' },
};

test('each file of a container with the ConfigMap and key that it is', () => {
  expect(mapsOf(mounts, volumes)).toEqual(['temporal-config', 'temporal-dynamic-config', 'more']);
  expect(mountedFiles(mounts, volumes, (name) => data[name])).toEqual([
    {
      path: '/etc/temporal/config/config_template.yaml',
      configMap: 'temporal-config',
      key: 'config_template.yaml',
      text: 'config',
      isFixed: true,
    },
    {
      path: '/etc/temporal/dynamic_config/dynamic_config.yaml',
      configMap: 'temporal-dynamic-config',
      key: 'dynamic_config.yaml',
      text: 'dynamic',
      isFixed: false,
    },
    { path: '/more/sub/b', configMap: 'more', key: 'a', text: 'of a projected volume', isFixed: false },
    { path: '/part/b', configMap: 'more', key: 'a', text: 'of a projected volume', isFixed: true },
  ]);
});

test('a ConfigMap that is not there shows no file, and is named for the path at which it would', () => {
  const path = '/etc/temporal/dynamic_config/dynamic_config.yaml';
  expect(mountedFiles(mounts, volumes, () => undefined)).toEqual([]);
  expect(mapsThatWouldHold(path, mounts, volumes)).toEqual(['temporal-dynamic-config']);
  expect(mapsThatWouldHold('/etc/temporal/dynamic_configs', mounts, volumes)).toEqual([]);
  expect(mapsThatWouldHold('/more/x', mounts, volumes)).toEqual(['more']);
});
