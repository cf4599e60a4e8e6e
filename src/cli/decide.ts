import { Option, type Command } from 'commander';
import { connectControlPlane, decide, queryStatus, RequestError } from '../client.js';
import type { DecisionKind } from '../core/decision.js';
import { shellWord } from '../report/escape.js';
import { localUser, withControlPlane, withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

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

interface DecideOptions extends CommonOptions {
  readonly gate?: string;
  readonly by: string;
  readonly reason?: string;
}

/** Adds the command of one kind of decision. */
export function addDecisionCommand(program: Command, kind: DecisionKind, name: string): void {
  const command = program
    .command(`${name} <workflow-id>`)
    .description(SUMMARIES[kind])
    .addOption(new Option('--by <name>', 'who decides').default(localUser()))
    .option('--reason <text>', 'why');
  if (!WITHOUT_GATE.includes(kind)) command.option('--gate <name>', 'the gate, as status shows it');
  withOutput(withControlPlane(command)).action((workflowId: string, options: DecideOptions) =>
    runCommandLine(options.output, async () => {
      const client = await connectControlPlane(options);
      const { by, reason } = options;
      const gate =
        options.gate ?? (WITHOUT_GATE.includes(kind) ? undefined : await openGateOrExplain(client, workflowId, name));
      const answer = await decide(client, workflowId, kind, { gate, by, reason });
      print(options.output, { workflowId, decision: kind, gate, by, reason, answer }, answer);
      await client.connection.close();
    }),
  );
}

/** A decision names its gate: without one nothing is sent, and the open gate is shown with its evidence. */
async function openGateOrExplain(
  client: Awaited<ReturnType<typeof connectControlPlane>>,
  workflowId: string,
  name: string,
): Promise<never> {
  const { waiting } = await queryStatus(client, workflowId);
  await client.connection.close();
  if (waiting?.for !== 'decision') throw new RequestError(`${workflowId} has no open gate; nothing was sent`);
  throw new RequestError(
    [
      `name the gate that you decide on; nothing was sent. Open is ${waiting.name}:`,
      ...waiting.evidence.map((line) => `  ${line}`),
      `temporal-upgrade ${name} ${shellWord(workflowId)} --gate ${shellWord(waiting.name)}`,
    ].join('\n'),
  );
}
