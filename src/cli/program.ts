import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { DECISION_KINDS, type DecisionKind } from '../core/decision.js';
import { addBackupsCommand } from './backups.js';
import { addCompletionCommand } from './completion.js';
import { addDecisionCommand } from './decide.js';
import { ExitCode } from './exit-codes.js';
import { addDevCommand, addWorkerCommand } from './dev.js';
import { addCheckCommand } from './check.js';
import { addDoctorCommand } from './doctor.js';
import { addObserveCommand } from './observe.js';
import { addInitCommand } from './init.js';
import { printUsageError } from './output.js';
import { addPlanCommand } from './plan.js';
import { addSchemaCommand } from './schema.js';
import { addReportCommand, addStartCommand, addStatusCommand } from './rollouts.js';
import { addWatchCommand } from './watch.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** The command line: flags in, the client's functions, text out. */
export function buildProgram(): Command {
  const program = new Command('temporal-upgrade')
    .description(
      'Upgrades self-hosted Temporal clusters, one minor at a time, as a durable workflow.\n' +
        'On the PATH it is also "temporal upgrade" of Temporal CLI 1.6 and later.',
    )
    .version(version, '--version')
    // A misspelt option is a request that cannot be carried out, as any other.
    .exitOverride(({ exitCode, message }) => {
      if (exitCode !== 0) printUsageError(message, process.argv);
      process.exit(exitCode === 0 ? ExitCode.ok : ExitCode.request);
    })
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 unexpected, 2 the request cannot be carried out as it\nstands, 3 the roll-out did not complete, 4 something to look at, 5 something that\nstands in the way, 6 observed to be bad, 7 not enough evidence, 127 no Node that\ncan run it, 130 ended by Ctrl-C.',
    );
  addDevCommand(program);
  addWorkerCommand(program);
  addInitCommand(program);
  addPlanCommand(program);
  addCheckCommand(program);
  addDoctorCommand(program);
  addObserveCommand(program);
  addBackupsCommand(program);
  addSchemaCommand(program);
  addStartCommand(program);
  addStatusCommand(program);
  addWatchCommand(program);
  for (const kind of DECISION_KINDS) addDecisionCommand(program, kind, COMMAND_NAMES[kind]);
  addReportCommand(program);
  addCompletionCommand(program);
  return program;
}

const COMMAND_NAMES: Record<DecisionKind, string> = {
  approve: 'approve',
  reject: 'reject',
  pause: 'pause',
  resume: 'resume',
  abort: 'abort',
  retry: 'retry',
  rollBack: 'rollback',
  restore: 'restore',
};
