import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { withJournal } from '../../src/adapters/command-journal.js';
import { createHelm, type HelmChange } from '../../src/adapters/kubernetes/helm.js';
import { renderChart } from '../../src/adapters/kubernetes/render-chart.js';
import { surveyCharts } from '../../src/adapters/kubernetes/survey-charts.js';
import { KubernetesDriver } from '../../src/core/input/input.js';
import { findHelm } from '../../src/lab/kubernetes/helm-programs.js';

/** Values of an older chart with real helm 3 and 4, and a chart that refuses old keys as the official one does. No API server is needed. */

const OLD = '1.29.1';
const NEW = '1.31.2';
let directory: string;
let old: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernetes-values-'));
  await placeTinyChart('0.72.0', '1.29.1');
  await placeTinyChart('1.6.0', '1.31.2');
  old = join(directory, 'old.yaml');
  await writeFile(
    old,
    stringify({
      server: { internalFrontend: { enabled: true }, config: { numHistoryShards: 4 } },
      web: { answer: 'yes', at: '22:30', password: 'very-secret' },
    }),
  );
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

/** The values that helm gave to the chart. */
function valuesOf(rendered: string): unknown {
  const { data }: { data: { values: string } } = parse(rendered);
  return JSON.parse(data.values);
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
    const commands: string[] = [];
    const { objects = '', problems } = await withJournal(
      ({ line }) => commands.push(line),
      () => renderChart(helm, change, { version: NEW, work: {} }),
    );
    expect(problems).toEqual([]);
    expect(valuesOf(objects)).toEqual({
      server: {
        image: { tag: NEW },
        'internal-frontend': { enabled: true },
        config: { persistence: { numHistoryShards: 4 } },
      },
      web: { answer: 'yes', at: '22:30', password: 'very-secret' },
    });
    expect(commands.join('\n')).toContain('--values -');
    expect(commands.join('\n')).not.toContain('very-secret');
    expect((await readdir(directory)).sort()).toEqual(['0.72.0', '1.6.0', 'old.yaml']);
    expect(await surveyCharts(input, undefined)).toMatchObject([{ version: '1.6.0', server: '1.31', migrates: true }]);
    expect(JSON.stringify(await surveyCharts(input, undefined))).not.toContain('very-secret');
  });

  test('the way back to the older chart takes the files as they are', async () => {
    const { change, helm } = await open(major, { migrateValues: true }, '0.72.0');
    const { objects = '' } = await renderChart(helm, change, { version: OLD, work: {} });
    expect(valuesOf(objects)).toMatchObject({ server: { internalFrontend: { enabled: true } } });
    expect(await helm.upgradeLine(OLD)).toContain(old);
  });
});
