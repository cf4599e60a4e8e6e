import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { allowedBy, verbsOf } from '../helpers/allowed-by.js';

/** The chart of the worker as files; test/real/kubernetes-worker-chart.test.ts has helm render and install it. */

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

test.each([
  ['rules.pods', 'role.yaml'],
  ['rules.helm', 'role-helm.yaml'],
  ['rules.operator', 'role-operator.yaml'],
] as const)('its %s are those of %s', async (name, file) => {
  const text = await read('service/kubernetes/chart/templates/_rules.tpl');
  const body = new RegExp(`define "${name}" -}}\n([^]*?)\n{{- end`).exec(text)?.[1];
  expect(verbsOf(parse(body ?? '')).toSorted()).toEqual((await allowedBy(file)).toSorted());
});

test('its version, and that of the image that it installs, are those of this project', async () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await read('package.json')));
  expect(parse(await read('service/kubernetes/chart/Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

test('its ports and its user are those of the image', async () => {
  const image = await read('service/Containerfile');
  const chart = await read('service/kubernetes/chart/templates/worker.yaml');
  expect(image).toMatch(/^EXPOSE 9610 9611$/m);
  expect(chart).toMatch(/name: health, containerPort: 9610[^]*name: metrics, containerPort: 9611/);
  expect(image).toMatch(/^USER 1000:1000$/m);
  expect(chart).toMatch(/runAsUser: 1000\n[^]*runAsGroup: 1000\n/);
});
