import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { createHelm, type HelmChange } from '../../src/adapters/kubernetes/helm.js';
import { renderChart } from '../../src/adapters/kubernetes/render-chart.js';
import { surveyCharts } from '../../src/adapters/kubernetes/survey-charts.js';
import { KubernetesDriver } from '../../src/core/input/input.js';
import { findHelm } from '../../src/lab/kubernetes/helm-programs.js';
import { journaling } from '../helpers/command-lines.js';

/** Values of an older chart with real helm 3 and 4, and a chart that refuses old keys as the official one does. No API server is needed. */

const OLD = '1.29.1';
const NEW = '1.31.2';
/** With words that YAML of 1.1, which helm reads, and of 1.2 take for different things. */
const OLD_VALUES = `
server: { internalFrontend: { enabled: true }, config: { numHistoryShards: 4 } }
web:
  plain: yes
  quoted: "yes"
  time: 22:30
  day: 2026-12-01
  mode: 0755
  twice: 1
  twice: 2
  base: &base { a: 1 }
  more: { <<: *base, b: 2 }
  nothing: null
  password: very-secret
`;
let directory: string;
let old: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-values-'));
  await placeTinyChart('0.72.0', '1.29.1');
  await placeTinyChart('1.6.0', '1.31.2');
  old = join(directory, 'old.yaml');
  await writeFile(old, OLD_VALUES);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** It prints the values that it is given, and from 1.1.0 on it fails on one old key. Ours; nothing of it is of the official chart. */
async function placeTinyChart(version: string, appVersion: string): Promise<void> {
  const folder = join(directory, version);
  await mkdir(join(folder, 'templates'), { recursive: true });
  const chart = { apiVersion: 'v2', name: 'temporal', version, appVersion };
  await writeFile(join(folder, 'Chart.yaml'), stringify(chart));
  const fails =
    '{{- if .Values.server.internalFrontend }}{{ fail "server.internalFrontend is no more: write internal-frontend" }}{{ end }}\n';
  const shown = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'values' }, data: { values: 'SHOWN' } };
  const text = stringify(shown).replace('SHOWN', '{{ toJson .Values | quote }}');
  await writeFile(join(folder, 'templates', 'values.yaml'), `${version === '1.6.0' ? fails : ''}${text}`);
}

async function open(major: 3 | 4, change: object, chart = '1.6.0') {
  const { helm } = await findHelm(major);
  const input = KubernetesDriver.parse({
    type: 'kubernetes',
    namespace: 'temporal',
    release: 'temporal',
    change: { by: 'helm', helm: [helm], chart: join(directory, chart), values: [old], ...change },
  });
  const given = input.change;
  if (given.by !== 'helm') throw new Error('the test says helm');
  return { input, change: given satisfies HelmChange, helm: createHelm(input, given) };
}

const Shown = z.object({ data: z.object({ values: z.string() }) });
const Given = z.looseObject({ server: z.looseObject({}), web: z.looseObject({ password: z.literal('very-secret') }) });

/** The values that helm gave to the chart. */
function valuesOf(rendered: string) {
  return Given.parse(JSON.parse(Shown.parse(parse(rendered)).data.values));
}

/** Those that it gives to the older chart, which takes the file as it is. */
async function olderValues(major: 3 | 4) {
  const { change, helm } = await open(major, { migrateValues: true }, '0.72.0');
  const { objects = '' } = await renderChart(helm, change, { version: OLD, work: {} });
  return valuesOf(objects);
}

describe.each([3, 4] as const)('helm %i', (major) => {
  test('values of an older chart: refused in the words of the chart, with the moves that would mend it', async () => {
    const { change, helm } = await open(major, {});
    const { objects, problems } = await renderChart(helm, change, { version: NEW, work: {} });
    expect(objects).toBeUndefined();
    expect(problems).toEqual([
      expect.stringContaining('server.internalFrontend is no more: write internal-frontend'),
      expect.stringContaining('server.internalFrontend -> server.internal-frontend. Write them so'),
    ]);
  });

  test('where asked for, helm is given them as the chart wants them; files stay, and nothing secret is written or recorded', async () => {
    const { input, change, helm } = await open(major, { migrateValues: true });
    const file = join(directory, 'commands');
    const { result, ran } = await journaling(file, () => renderChart(helm, change, { version: NEW, work: {} }));
    await rm(file);
    const { objects = '', problems } = result;
    expect(problems).toEqual([]);
    expect(valuesOf(objects)).toEqual({
      server: {
        image: { tag: NEW },
        'internal-frontend': { enabled: true },
        config: { persistence: { numHistoryShards: 4 } },
      },
      // What helm reads in that file by itself.
      web: (await olderValues(major)).web,
    });
    expect(ran.join('\n')).toContain('--values -');
    expect(ran.join('\n')).not.toContain('very-secret');
    expect((await readdir(directory)).sort()).toEqual(['0.72.0', '1.6.0', 'old.yaml']);
    expect(await surveyCharts(input, undefined)).toMatchObject([{ version: '1.6.0', server: '1.31', migrates: true }]);
    expect(JSON.stringify(await surveyCharts(input, undefined))).not.toContain('very-secret');
  });

  test('the way back to the older chart takes the files as they are', async () => {
    expect(await olderValues(major)).toMatchObject({ server: { internalFrontend: { enabled: true } } });
    const { helm } = await open(major, { migrateValues: true }, '0.72.0');
    expect(await helm.upgradeLine(OLD)).toContain(old);
  });
});
