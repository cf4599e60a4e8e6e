import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('each file of test/real belongs to one project, and to one alone', () => {
  const projects = ['full', 'alone', 'rest', 'rest-alone', 'kubernetes'];
  const listed = projects.flatMap((project) => {
    const jest = ['node_modules/jest/bin/jest.js', '--listTests', '--selectProjects', project];
    const { stdout } = spawnSync(process.execPath, jest, { cwd: root, encoding: 'utf8' });
    return stdout
      .split('\n')
      .filter((line) => line.endsWith('.test.ts'))
      .map((path) => basename(path));
  });
  const there = readdirSync(`${root}/test/real`).filter((name) => name.endsWith('.test.ts'));
  expect(listed.toSorted()).toEqual(there.toSorted());
});
