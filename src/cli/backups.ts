import { InvalidArgumentError, type Command } from 'commander';
import { withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { BackupsOptions, HopOptions, PruneOptions } from './actions/backups.js';

/** `backups …`: what roll-outs of a cluster left in its folder of backups, and the way back to it without a roll-out. */
export function addBackupsCommand(program: Command): void {
  const backups = program.command('backups').description('the backups that roll-outs of a cluster made');
  const list = backups.command('list').description('name them, the oldest first; changes nothing');
  onTarget(list).action((options: BackupsOptions) =>
    runCommandLine(options.output, async () => (await actions()).listed(options)),
  );
  const verify = backups
    .command('verify')
    .description('read all of each again, as before a restore; changes nothing')
    .argument('[files...]', 'some of them; all when left out');
  onTarget(verify).action((files: readonly string[], options: BackupsOptions) =>
    runCommandLine(options.output, async () => (await actions()).verified(files, options)),
  );
  const restore = backups
    .command('restore')
    .description('without a roll-out: both databases back to the backups of a hop; stop all servers first')
    .requiredOption('--hop <name>', 'as list names it')
    .option('-y, --yes', 'ask nothing');
  onTarget(restore).action((options: HopOptions) =>
    runCommandLine(options.output, async () => (await actions()).restored(options)),
  );
  const refresh = backups
    .command('refresh')
    .description('after restore, once servers run: have them write the visibility that was not in step')
    .requiredOption('--hop <name>', 'as given to restore');
  onTarget(refresh).action((options: HopOptions) =>
    runCommandLine(options.output, async () => (await actions()).refreshed(options)),
  );
  const prune = backups
    .command('prune')
    .description('remove those of old hops; "backups.keep" of the cluster says which, or the options')
    .option('--hops <number>', 'keep those of so many hops at least', wholeNumber)
    .option('--days <number>', 'remove others when older', wholeNumber)
    .option('-y, --yes', 'ask nothing');
  onTarget(prune).action((options: PruneOptions) =>
    runCommandLine(options.output, async () => (await actions()).pruned(options)),
  );
}

function onTarget(command: Command): Command {
  return withOutput(command.requiredOption('--target <path>', 'the cluster, as under "live" of a roll-out'));
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('Expected a whole number.');
  return number;
}

/** Loaded when one of them runs: with the stores it is heavy. */
const actions = () => import('./actions/backups.js');
