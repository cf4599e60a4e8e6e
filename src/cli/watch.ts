import { Option, type Command } from 'commander';
import { withControlPlane, withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { WatchOptions } from './actions/watch.js';

/** `watch`: the status, again and again, until the roll-out is over. */
export function addWatchCommand(program: Command): void {
  const command = program
    .command('watch <workflow-id>')
    .description('follow a roll-out until it is over; with --output json a line for each change, with yaml a document')
    .addOption(new Option('--interval <seconds>', 'how often to look').default(2).argParser(Number));
  withOutput(withControlPlane(command)).action((workflowId: string, options: WatchOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/watch.js')).watch(workflowId, options)),
  );
}

/** Where a roll-out is shown that is followed. */
