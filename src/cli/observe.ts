import type { Command } from 'commander';
import { withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { ObserveOptions } from './actions/observe.js';

/** `observe`: measures a cluster for a while and judges it; changes nothing. Exits by the verdict. */
export function addObserveCommand(program: Command): void {
  const command = program
    .command('observe')
    .description('measure a cluster for a while and judge it; changes nothing')
    .requiredOption('--target <path>', 'one cluster, as under "live" of a roll-out')
    .option('--for <time>', 'how long, such as 2m', '2m')
    .option('--every <time>', 'time between two samples; a twentieth of --for, 1 to 10 s, when left out')
    .option('--baseline <path>', 'compare with an earlier observation that --save wrote')
    .option('--save <path>', 'write this observation as a baseline for later ones');
  withOutput(command).action((options: ObserveOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/observe.js')).observe(options)),
  );
}
