import type { Command } from 'commander';
import { withControlPlane, withOutput, type CommonOptions } from './options.js';
import { runCommandLine } from './output.js';
import type { ReportOptions } from './actions/report.js';
import type { StartOptions } from './actions/start.js';

/** `start`: checks the input and starts the roll-out. */
export function addStartCommand(program: Command): void {
  const command = program
    .command('start')
    .description('check a roll-out and start it')
    .requiredOption('-f, --file <path>', 'the roll-out, as YAML or JSON')
    .option('-t, --task-queue <name>', 'task queue of the workers of the roll-out');
  withOutput(withControlPlane(command)).action((options: StartOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/start.js')).start(options)),
  );
}

/** `status`: one screen. */
export function addStatusCommand(program: Command): void {
  const command = program
    .command('status <workflow-id>')
    .description('where a roll-out is, why it waits, what comes next');
  withOutput(withControlPlane(command)).action((workflowId: string, options: CommonOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/status.js')).status(workflowId, options)),
  );
}

/** `report`: what a roll-out has done until now. */
export function addReportCommand(program: Command): void {
  const command = program
    .command('report <workflow-id>')
    .description('what a roll-out did, or has done until now: as Markdown, or as a page with all that was measured')
    .option('--html <file>', 'write the page there: one file, to be opened without a network');
  withOutput(withControlPlane(command)).action((workflowId: string, options: ReportOptions) =>
    runCommandLine(options.output, async () => (await import('./actions/report.js')).report(workflowId, options)),
  );
}
