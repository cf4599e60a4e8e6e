import { Option, type Command } from 'commander';
import { STORE_KINDS } from '../core/plan.js';
import { withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { CheckOptions } from './actions/check.js';

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
  withOutput(command).action((options: CheckOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/check.js')).check(options)),
  );
}
