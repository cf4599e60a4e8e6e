import { Option, type Command } from 'commander';
import { RequestError } from '../client.js';
import { STORE_KINDS, type StoreKind } from '../core/plan.js';
import { isServerVersion } from '../core/version.js';
import { checkOffline } from '../planning.js';
import { findingsText } from '../report/findings.js';
import { findingJson } from '../report/plan.js';
import { exitCodeOf } from './exit-codes.js';
import { withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

interface CheckOptions extends Pick<CommonOptions, 'output'> {
  readonly from?: string;
  readonly store: StoreKind;
  readonly visibility?: StoreKind;
  readonly explain: boolean;
}

/** `check`: whether there is something newer, whether the version is still maintained, and what speaks against it. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('is there a newer version, is the running one maintained, what advisories apply')
    .option('--from <version>', 'version in full that a cluster runs, such as 1.27.3')
    .addOption(new Option('--store <kind>', 'default store').choices(STORE_KINDS).default('postgres12'))
    .addOption(
      new Option('--visibility <kind>', 'visibility store; that of --store when left out').choices(STORE_KINDS),
    )
    .option('--explain', 'the source of each line', false);
  withOutput(command).action((options: CheckOptions) => runCommandLine(options.output, () => check(options)));
}

async function check({ from, store, visibility = store, output, explain }: CheckOptions): Promise<void> {
  if (from === undefined || !isServerVersion(from)) {
    throw new RequestError(`--from is "${from ?? ''}", expected a version in full such as 1.27.3`);
  }
  const findings = await checkOffline(from, { default: store, visibility });
  print(
    output,
    { version: from, findings: findings.map(findingJson) },
    findingsText(`server ${from}`, findings, explain),
  );
  process.exitCode = exitCodeOf(findings);
}
