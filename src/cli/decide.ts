import { Option, type Command } from 'commander';
import type { DecisionKind } from '../core/decision.js';
import { localUser, withControlPlane, withOutput } from './options.js';
import { runCommandLine } from './output.js';
import type { DecideOptions } from './actions/decide.js';

const SUMMARIES: Record<DecisionKind, string> = {
  approve: 'let the open gate pass; at an incident: go on in spite of it, with --by and --reason',
  reject: 'refuse the open gate',
  pause: 'start no further phase until resume',
  resume: 'go on after pause',
  abort: 'end the roll-out at the next safe point',
  retry: 'do the failed phase again',
  rollBack: 'put the servers of the present hop back to the version before',
  restore: 'last resort: open the gate that says what going back to the backups would lose, with --by and --reason',
};

/** These concern the whole roll-out and name no gate. */
const WITHOUT_GATE: readonly DecisionKind[] = ['pause', 'resume', 'abort'];

/** Adds the command of one kind of decision. */
export function addDecisionCommand(program: Command, kind: DecisionKind, name: string): void {
  const command = program
    .command(`${name} <workflow-id>`)
    .description(SUMMARIES[kind])
    .addOption(new Option('--by <name>', 'who decides').env('TEMPORAL_UPGRADE_BY').default(localUser()))
    .option('--reason <text>', 'why');
  if (!WITHOUT_GATE.includes(kind))
    command
      .option('--gate <name>', 'the gate, as status shows it')
      .option('-y, --yes', 'on a terminal: send it without a look at the evidence');
  withOutput(withControlPlane(command)).action((workflowId: string, options: DecideOptions) =>
    runCommandLine(options.output, async () => {
      const { sendDecision } = await import('./actions/decide.js');
      const isSaid = command.getOptionValueSource('by') !== 'default';
      await sendDecision(workflowId, { kind, name, isSaid, isOfGate: !WITHOUT_GATE.includes(kind), ...options });
    }),
  );
}
