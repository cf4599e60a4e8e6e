import { expect, test } from '@jest/globals';
import { createHosts } from '../../../src/adapters/systemd/host.js';

test('here a command is run as it is; elsewhere ssh gets one text that the shell there takes apart again', () => {
  const argv = ['printf', '%s', "it's $HOME"];
  expect(createHosts()(undefined).commandFor(argv)).toEqual(argv);
  const ssh = createHosts({ sshConfigFile: '/etc/own' })('db1').commandFor(argv);
  expect(ssh.slice(0, 3)).toEqual(['ssh', '-F', '/etc/own']);
  expect(ssh).toContain('BatchMode=yes');
  expect(ssh.slice(-3)).toEqual(['--', 'db1', `printf %s 'it'\\''s $HOME'`]);
});

test('what fails says which command, where, and what it said', async () => {
  const host = createHosts()(undefined);
  expect(await host.run(['cat'], { input: 'text' })).toBe('text');
  await expect(host.run(['sh', '-c', 'echo no such unit >&2; exit 5'])).rejects.toThrow(
    /^"sh -c 'echo no such unit >&2; exit 5'" on this host: sh ended with exit code 5:\nno such unit$/,
  );
});
