import { z } from 'zod';
import { PreconditionError, UnreachableError } from '../../core/errors.js';
import type { KubernetesChange, KubernetesDriver } from '../../core/input/input.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { tagOfVersion } from '../../core/pods/images.js';
import { minorOf } from '../../core/version.js';
import { CommandError, runCommand } from '../run-command.js';
import type { Work } from '../store.js';
import { parseChart, planValues, secretsIn, type ValuesPlan } from './chart-values.js';

export type HelmChange = Extract<KubernetesChange, { by: 'helm' }>;

/** What helm says of a release. */
export interface ReleaseStatus {
  /** `deployed`, `failed`, `pending-upgrade`, … */
  readonly status: string;
  readonly revision: number;
}

const Status = z.object({ version: z.number(), info: z.object({ status: z.string() }) });

/** How values are given to helm. */
interface Given {
  readonly args: readonly string[];
  readonly input?: string;
  /** What of them must not stand in a message. */
  readonly secrets: readonly string[];
}

/** The helm of a target, version 3 or 4. */
export interface Helm {
  readonly release: string;
  /** @throws PreconditionError when there is no such release */
  status(work?: Work): Promise<ReleaseStatus>;
  /** The objects of the release as the chart renders them with this version, without its hooks. Changes nothing. */
  render(version: string, work?: Work): Promise<string>;
  /** Without its hooks: the schema is brought by the roll-out, before. */
  upgrade(version: string, work?: Work): Promise<void>;
  rollback(revision: number, work?: Work): Promise<void>;
  /** The values that people gave to the release. */
  values(work?: Work): Promise<string>;
  /** The arguments of `upgrade`, program first. */
  upgradeLine(version: string): Promise<readonly string[]>;
  /** What becomes of the operator's values with that chart; `from`: version of the official chart that is there now. */
  planValues(version: string, from?: string, work?: Work): Promise<ValuesPlan>;
}

/** The helm that an input names. Its methods throw UnreachableError where helm does not reach the API server. */
export function createHelm(input: KubernetesDriver, change: HelmChange): Helm {
  const { release = '', namespace, kubeconfig, context } = input;
  const place = [
    '--namespace',
    namespace,
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--kube-context', context]),
  ];
  const [program = 'helm', ...words] = change.helm;

  async function run(args: readonly string[], work?: Work, more: Partial<Given> = {}): Promise<string> {
    const { input: text, secrets = [] } = more;
    const stdin = text === undefined ? {} : { input: text };
    const options = { env: helmEnvironment(), secrets, ...stdin, timeoutMs: change.timeout, signal: work?.signal };
    try {
      return (await runCommand(program, [...words, ...args, ...place], options)).stdout;
    } catch (error) {
      work?.signal?.throwIfAborted();
      if (!(error instanceof CommandError)) throw error;
      if (/cluster unreachable|connection refused|i\/o timeout|no route to host/i.test(error.stderrTail))
        throw new UnreachableError(error.message, { release }, { cause: error });
      throw new PreconditionError(`helm ${args[0] ?? ''} of release ${release} failed: ${error.message}`, { release });
    }
  }

  const chartArgs = (version: string): string[] => {
    const chartVersion = change.chartVersion[minorOf(version)];
    return [change.chart, ...(chartVersion === undefined ? [] : ['--version', chartVersion])];
  };
  const showChart = async (version: string, work?: Work) =>
    parseChart(await run(['show', 'chart', ...chartArgs(version)], work));

  /** On its stdin, so that no file with passwords in it is left by whoever is killed. */
  async function valuesFor(version: string, work?: Work): Promise<Given> {
    const asTheyAre = { args: change.values.flatMap((file) => ['--values', file]), secrets: [] };
    if (!change.migrateValues) return asTheyAre;
    const { moved, values } = await planValues(change, await showChart(version, work));
    if (moved.length === 0) return asTheyAre;
    // JSON is YAML too, and leaves no doubt what is text: helm takes an unquoted "yes" for true.
    return { args: ['--values', '-'], input: JSON.stringify(values), secrets: secretsIn(values) };
  }

  const ofChart = (version: string, { args }: Given): string[] => {
    const words = { version, tag: tagOfVersion(version, input.images) };
    return [
      release,
      ...chartArgs(version),
      ...args,
      ...Object.entries(change.set).flatMap(([key, text]) => [
        '--set-string',
        `${key}=${fillPlaceholders(text, words)}`,
      ]),
    ];
  };
  const upgradeArgs = (version: string, given: Given) => [
    'upgrade',
    ...ofChart(version, given),
    '--reset-values',
    '--no-hooks',
    '--description',
    `temporal-upgrade: ${version}`,
    '--timeout',
    `${Math.ceil(change.timeout / 1_000)}s`,
  ];

  return {
    release,
    async status(work) {
      const { version, info } = Status.parse(JSON.parse(await run(['status', release, '--output', 'json'], work)));
      return { status: info.status, revision: version };
    },
    async render(version, work) {
      const given = await valuesFor(version, work);
      return run(['template', ...ofChart(version, given), '--no-hooks', '--is-upgrade'], work, given);
    },
    async upgrade(version, work) {
      const given = await valuesFor(version, work);
      await run(upgradeArgs(version, given), work, given);
    },
    async rollback(revision, work) {
      await run(['rollback', release, String(revision), '--no-hooks'], work);
    },
    values: (work) => run(['get', 'values', release, '--output', 'yaml'], work),
    async upgradeLine(version) {
      return [program, ...words, ...upgradeArgs(version, await valuesFor(version)), ...place];
    },
    planValues: async (version, from, work) => planValues(change, await showChart(version, work), from),
  };
}

/** Its folders and the standard kubeconfig, as the worker's own environment names them. */
function helmEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => {
      const isIts = name === 'KUBECONFIG' || name.startsWith('HELM_') || name.startsWith('KUBERNETES_SERVICE_');
      return isIts && value !== undefined ? [[name, value]] : [];
    }),
  );
}
