import { Option, type Command } from 'commander';
import { RequestError } from '../client.js';
import { parseTarget } from '../core/input/input.js';
import { STORE_KINDS, type StoreKind } from '../core/plan.js';
import { isServerVersion } from '../core/version.js';
import { readInputFile } from '../input-file.js';
import { checkOffline, checkTarget } from '../planning.js';
import { findingsText } from '../report/findings.js';
import { findingJson } from '../report/plan.js';
import { exitCodeOf } from './exit-codes.js';
import { withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

interface CheckOptions extends Pick<CommonOptions, 'output'> {
  readonly from?: string;
  readonly target?: string;
  readonly store: StoreKind;
  readonly visibility?: StoreKind;
  readonly explain: boolean;
}

/** `check`: whether there is something newer, whether the version is still maintained, and what speaks against it. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('is there a newer version, is the running one maintained, what advisories apply')
    .option('--target <path>', 'one cluster, as under "live" of a roll-out: its frontend is asked')
    .option('--from <version>', 'version in full that a cluster runs, such as 1.27.3')
    .addOption(new Option('--store <kind>', 'default store').choices(STORE_KINDS).default('postgres12'))
    .addOption(
      new Option('--visibility <kind>', 'visibility store; that of --store when left out').choices(STORE_KINDS),
    )
    .option('--explain', 'the source of each line', false);
  withOutput(command).action((options: CheckOptions) => runCommandLine(options.output, () => check(options)));
}

async function check(options: CheckOptions): Promise<void> {
  const { output, explain } = options;
  const { version, findings } = await answer(options);
  print(output, { version, findings: findings.map(findingJson) }, findingsText(`server ${version}`, findings, explain));
  process.exitCode = exitCodeOf(findings);
}

async function answer({ from, target, store, visibility = store }: CheckOptions) {
  if ((from === undefined) === (target === undefined)) {
    throw new RequestError('give one of these: --from for a version, --target for a cluster that runs');
  }
  if (target !== undefined) return checkTarget(parseTarget(await readInputFile(target)));
  if (from === undefined || !isServerVersion(from)) {
    throw new RequestError(`--from is "${from ?? ''}", expected a version in full such as 1.27.3`);
  }
  return { version: from, findings: await checkOffline(from, { default: store, visibility }) };
}
