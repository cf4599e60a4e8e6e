import { InvalidArgumentError, Option, type Command } from 'commander';
import { RequestError } from '../client.js';
import { parseRolloutInput } from '../core/input.js';
import { rolloutJsonSchema } from '../core/input-json-schema.js';
import { isMinor, isServerVersion } from '../core/version.js';
import { readInputFile } from '../input-file.js';
import { planFromClusters, planOffline } from '../planning.js';
import { planJson, planTable } from '../report/plan.js';
import { withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

const STORE_KINDS = ['postgres12'] as const;

interface PlanOptions extends Pick<CommonOptions, 'output'> {
  readonly file?: string;
  readonly from?: string;
  readonly to?: string;
  readonly store: (typeof STORE_KINDS)[number];
  readonly visibility?: (typeof STORE_KINDS)[number];
  readonly pin: Readonly<Record<string, string>>;
}

/** `plan`: the hops of a cluster that is described, or of the two that a roll-out names. Changes nothing. */
export function addPlanCommand(program: Command): void {
  const command = program
    .command('plan')
    .description('show the hops, their schema steps and what to know of them; changes nothing')
    .option('-f, --file <path>', 'a roll-out: both clusters are looked at')
    .option('--from <version>', 'version in full that a cluster runs, such as 1.27.3')
    .option('--to <version>', 'minor or version to reach, such as 1.31')
    .addOption(new Option('--store <kind>', 'default store').choices(STORE_KINDS).default('postgres12'))
    .addOption(
      new Option('--visibility <kind>', 'visibility store; that of --store when left out').choices(STORE_KINDS),
    )
    .addOption(
      new Option('--pin <minor=version>', 'patch to use for a minor; may be given again').default({}).argParser(addPin),
    );
  withOutput(command).action((options: PlanOptions) =>
    runCommandLine(options.output, async () => {
      if (options.file !== undefined) return planOfFile(options.file, options);
      const { from, to, store, visibility = store, pin } = options;
      if (from === undefined || to === undefined) {
        throw new RequestError('give --from and --to for a cluster that is only described, or --file for a roll-out');
      }
      if (!isServerVersion(from))
        throw new RequestError(`--from is "${from}", expected a version in full such as 1.27.3`);
      if (!isServerVersion(to) && !isMinor(to)) throw new RequestError(`--to is "${to}", expected 1.31 or 1.31.2`);
      const path = await planOffline({ from, to, store, visibility, pins: pin });
      print(options.output, planJson(path), planTable(path));
    }),
  );
}

async function planOfFile(file: string, { output }: PlanOptions): Promise<void> {
  const input = parseRolloutInput(await readInputFile(file));
  const { staging, live, findings } = await planFromClusters(input);
  const text = [
    `staging ${input.staging.name}`,
    planTable(staging),
    '',
    `live ${input.live.name}`,
    planTable(live),
    ...findings.map(({ severity, message }) => `${severity}: ${message}`),
  ].join('\n');
  print(output, { staging: planJson(staging), live: planJson(live), findings }, text);
}

/** `schema`: for editors that check YAML and JSON as one writes. */
export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of a roll-out, for editors')
    .action(() =>
      runCommandLine('text', () =>
        Promise.resolve(print('text', undefined, JSON.stringify(rolloutJsonSchema(), null, 2))),
      ),
    );
}

function addPin(text: string, pins: Readonly<Record<string, string>>): Record<string, string> {
  const [minor, version, ...rest] = text.split('=');
  if (minor === undefined || version === undefined || rest.length > 0) {
    throw new InvalidArgumentError(`"${text}" is not MINOR=VERSION such as 1.30=1.30.7`);
  }
  return { ...pins, [minor]: version };
}
