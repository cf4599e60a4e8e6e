import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import {
  connectControlPlane,
  executionState,
  queryStatus,
  reportOf,
  RequestError,
  resultOf,
  resultSoFar,
  startRollout,
} from '../client.js';
import type { RolloutInputText } from '../core/input/input.js';
import { readInputFile } from '../input-file.js';
import { reportPage } from '../page/report-page.js';
import { reportMarkdown } from '../report/report-markdown.js';
import { statusText } from '../report/status-text.js';
import { ExitCode } from './exit-codes.js';
import { withControlPlane, withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

/** `start`: checks the input and starts the roll-out. */
export function addStartCommand(program: Command): void {
  const command = program
    .command('start')
    .description('check a roll-out and start it')
    .requiredOption('-f, --file <path>', 'the roll-out, as YAML or JSON')
    .option('-t, --task-queue <name>', 'task queue of the workers of the roll-out');
  withOutput(withControlPlane(command)).action(
    (options: CommonOptions & { readonly file: string; readonly taskQueue?: string }) =>
      runCommandLine(options.output, async () => {
        // Parsed by the client before it connects, so that a mistake is told without a control plane too.
        const raw = (await readInputFile(options.file)) as RolloutInputText;
        const client = await connectControlPlane(options);
        const started = await startRollout(client, raw, { taskQueue: options.taskQueue });
        print(
          options.output,
          started,
          `started ${started.workflowId}\n\n  temporal-upgrade watch ${started.workflowId}\n  temporal-upgrade status ${started.workflowId}`,
        );
        await client.connection.close();
      }),
  );
}

/** `status`: one screen. */
export function addStatusCommand(program: Command): void {
  const command = program
    .command('status <workflow-id>')
    .description('where a roll-out is, why it waits, what comes next');
  withOutput(withControlPlane(command)).action((workflowId: string, options: CommonOptions) =>
    runCommandLine(options.output, async () => {
      const client = await connectControlPlane(options);
      const status = await queryStatus(client, workflowId);
      print(options.output, status, statusText(status, Date.now()));
      await client.connection.close();
    }),
  );
}

/** `watch`: the status, again and again, until the roll-out is over. */
export function addWatchCommand(program: Command): void {
  const command = program
    .command('watch <workflow-id>')
    .description('follow a roll-out until it is over; with --output json a line for each change')
    .addOption(new Option('--interval <seconds>', 'how often to look').default(2).argParser(Number));
  withOutput(withControlPlane(command)).action(
    (workflowId: string, options: CommonOptions & { readonly interval: number }) =>
      runCommandLine(options.output, async () => {
        if (!(options.interval > 0)) throw new RequestError('--interval has to be a number of seconds above 0');
        const client = await connectControlPlane(options);
        let last = '';
        while ((await executionState(client, workflowId)) === 'RUNNING') {
          const status = await queryStatus(client, workflowId);
          const onTerminal = process.stdout.isTTY && options.output === 'text';
          const text = statusText(
            status,
            onTerminal ? Date.now() : Date.parse(status.current?.since ?? status.startedAt),
          );
          const shown = options.output === 'json' ? JSON.stringify(status) : text;
          if (onTerminal) process.stdout.write(`\u001b[H\u001b[2J${text}\n`);
          else if (shown !== last) process.stdout.write(`${shown}\n${options.output === 'json' ? '' : '\n'}`);
          last = shown;
          await sleep(options.interval * 1_000);
        }
        const result = await resultOf(client, workflowId);
        print(options.output, result, reportMarkdown(result));
        if (result.status !== 'completed') process.exitCode = ExitCode.notCompleted;
        await client.connection.close();
      }),
  );
}

/** `report`: what a roll-out has done until now. */
export function addReportCommand(program: Command): void {
  const command = program
    .command('report <workflow-id>')
    .description('what a roll-out did, or has done until now: as Markdown, or as a page with all that was measured')
    .option('--html <file>', 'write the page there: one file, to be opened without a network');
  withOutput(withControlPlane(command)).action(
    (workflowId: string, options: CommonOptions & { readonly html?: string }) =>
      runCommandLine(options.output, async () => {
        const client = await connectControlPlane(options);
        const { html, output } = options;
        if (html === undefined && output === 'text')
          print(output, {}, reportMarkdown(await resultSoFar(client, workflowId)));
        else {
          const report = await reportOf(client, workflowId);
          if (html !== undefined) await writeFile(html, reportPage(report));
          print(output, report, `written to ${html}`);
        }
        await client.connection.close();
      }),
  );
}
