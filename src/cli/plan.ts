import { InvalidArgumentError, Option, type Command } from 'commander';
import { STORE_KINDS } from '../core/plan.js';
import { withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { PlanOptions } from './actions/plan.js';

/** `plan`: the hops of a cluster that is described, that runs, or of the two that a roll-out names. Changes nothing. */
export function addPlanCommand(program: Command): void {
  const kind = (flags: string, description: string) => new Option(flags, description).choices(STORE_KINDS);
  const command = program
    .command('plan')
    .description('show the hops, their schema steps and what to know of them; changes nothing')
    .option('-f, --file <path>', 'a roll-out: both clusters are looked at')
    .option('--target <path>', 'one cluster, as under "live" of a roll-out: it is looked at')
    .option('--from <version>', 'version in full that a cluster runs, such as 1.27.3')
    .option('--to <version>', 'minor or version to reach, such as 1.31; one minor lower is a roll-back')
    .addOption(kind('--store <kind>', 'default store').default('postgres12'))
    .addOption(kind('--visibility <kind>', 'visibility store; that of --store when left out'))
    .addOption(kind('--secondary-visibility <kind>', 'second visibility store, where there is one'))
    .addOption(kind('--move-visibility-to <kind>', 'where visibility goes when its kind ends on the way'))
    .addOption(
      new Option('--pin <minor=version>', 'patch to use for a minor; may be given again').default({}).argParser(addPin),
    )
    .option(
      '--explain',
      'the rule and the source of each line, all notes, and each command that replaces a server',
      false,
    );
  withOutput(command).action((options: PlanOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/plan.js')).plan(options)),
  );
}

function addPin(text: string, pins: Readonly<Record<string, string>>): Record<string, string> {
  const [minor, version, ...rest] = text.split('=');
  if (minor === undefined || version === undefined || rest.length > 0) {
    throw new InvalidArgumentError(`"${text}" is not MINOR=VERSION such as 1.30=1.30.7`);
  }
  return { ...pins, [minor]: version };
}
