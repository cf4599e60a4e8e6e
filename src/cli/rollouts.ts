import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { connectControlPlane, queryStatus, reportOf, resultSoFar, startRollout } from '../client.js';
import type { RolloutInputText } from '../core/input/input.js';
import { readInputFile } from '../input-file.js';
import { reportPage } from '../page/report-page.js';
import { reportMarkdown } from '../report/report-markdown.js';
import { statusText } from '../report/status-text.js';
import { withControlPlane, withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';
import { paintStdout } from './paint.js';

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
      print(options.output, status, statusText(status, Date.now(), { paint: paintStdout }));
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
