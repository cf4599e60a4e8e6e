import type { Command } from 'commander';
import { withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { DoctorOptions } from './actions/doctor.js';

/** `doctor`: all checks of a preflight on a cluster, at any time. Changes nothing; exits by the worst finding. */
export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('look at all of a cluster: processes, rings, databases, configuration; changes nothing')
    .option('-f, --file <path>', 'a roll-out: both clusters are looked at')
    .option('--target <path>', 'one cluster, as under "live" of a roll-out')
    .option('--explain', 'the source of each line', false);
  withOutput(command).action((options: DoctorOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/doctor.js')).doctor(options)),
  );
}
