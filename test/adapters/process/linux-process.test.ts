import { expect, test } from '@jest/globals';
import { listProcesses } from '../../../src/adapters/process/linux-process.js';

test('of all processes those are listed whose arguments are wanted', async () => {
  const isNode = (argv: readonly string[]) => argv[0] === process.argv0 || argv[0] === process.execPath;
  const wanted = await listProcesses(isNode);
  expect(wanted.map(({ pid }) => pid)).toContain(process.pid);
  expect(wanted.filter(({ argv }) => !isNode(argv))).toEqual([]);
  const own = (all: typeof wanted) => all.find(({ pid }) => pid === process.pid);
  expect(own(await listProcesses())).toEqual(own(wanted));
  expect(await listProcesses(() => false)).toEqual([]);
});
