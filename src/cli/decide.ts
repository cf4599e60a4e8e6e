import { createInterface } from 'node:readline/promises';
import { Option, type Command } from 'commander';
import { connectControlPlane, decide, identityAskedFor, queryStatus, RequestError } from '../client.js';
import type { DecisionKind, Gate } from '../core/decision.js';
import { needsReason } from '../core/shown-payload.js';
import { shellWord } from '../report/escape.js';
import { statusText } from '../report/status-text.js';
import { localUser, withControlPlane, withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';
import { paintStdout } from './paint.js';

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
  readonly yes?: boolean;
}

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
      const client = await connectControlPlane(options);
      try {
        const { gate, reason } = WITHOUT_GATE.includes(kind)
          ? options
          : await askAtGate(client, workflowId, { name, kind, ...options });
        const isSaid = command.getOptionValueSource('by') !== 'default';
        // The name of the local user would only contradict a surer one.
        const by = isSaid || (await identityAskedFor(client, workflowId, gate)) === 'said' ? options.by : undefined;
        const answer = await decide(client, workflowId, kind, { gate, by, reason });
        print(options.output, { workflowId, decision: kind, gate, by, reason, answer }, answer);
      } finally {
        await client.connection.close();
      }
    }),
  );
}

type Client = Awaited<ReturnType<typeof connectControlPlane>>;

interface Asking extends Pick<DecideOptions, 'output' | 'reason' | 'gate' | 'yes'> {
  readonly kind: DecisionKind;
  /** Of the command. */
  readonly name: string;
}

interface Asked {
  readonly gate: string;
  readonly reason?: string | undefined;
}

/**
 * A decision names its gate. A person at a terminal sees what it rests on first, and is asked; nobody else is, and without the
 * gate nothing is sent. @throws RequestError when it is not to be sent
 */
async function askAtGate(client: Client, workflowId: string, asking: Asking): Promise<Asked> {
  const { kind, name, output, reason, gate, yes = false } = asking;
  const isAnswered = output === 'text' && process.stdin.isTTY && process.stdout.isTTY;
  if (gate !== undefined && (yes || !isAnswered)) return { gate, reason };
  const status = await queryStatus(client, workflowId);
  const open = status.waiting?.for === 'decision' ? status.waiting : undefined;
  if (gate === undefined) {
    if (open === undefined) throw new RequestError(`${workflowId} has no open gate; nothing was sent`);
    if (!isAnswered || !open.allowed.includes(kind)) throw new RequestError(openGate(open, workflowId, name));
  }
  process.stdout.write(`${statusText(status, Date.now(), { paint: paintStdout })}\n\n`);
  const named = gate ?? open?.name ?? '';
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await terminal.question(`${name} ${named}? (yes or no) `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new RequestError('nothing was sent');
    if (reason !== undefined || open?.name !== named || !needsReason(open, kind)) return { gate: named, reason };
    const given = (await terminal.question('reason: ')).trim();
    return { gate: named, reason: given === '' ? undefined : given };
  } finally {
    terminal.close();
  }
}

function openGate({ name: gate, allowed, evidence }: Gate, workflowId: string, name: string): string {
  return [
    `name the gate that you decide on; nothing was sent. Open is ${gate} (${allowed.join(', ')}):`,
    ...evidence.map((line) => `  ${line}`),
    `temporal-upgrade ${name} ${shellWord(workflowId)} --gate ${shellWord(gate)}`,
  ].join('\n');
}
