import type { Command } from 'commander';
import { RequestError } from '../client.js';
import { Duration, formatDuration } from '../core/duration.js';
import { parseTarget } from '../core/input/input.js';
import { problemsOf } from '../core/input/input-problems.js';
import { readInputFile } from '../input-file.js';
import { observeTarget, readObservation, saveObservation } from '../observing.js';
import { observationJson, observationText } from '../report/observation.js';
import { ExitCode } from './exit-codes.js';
import { withOutput, type CommonOptions } from './options.js';
import { print, runCommandLine } from './output.js';

interface ObserveOptions extends Pick<CommonOptions, 'output'> {
  readonly target: string;
  readonly for: string;
  readonly every?: string;
  readonly baseline?: string;
  readonly save?: string;
}

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
  withOutput(command).action((options: ObserveOptions) => runCommandLine(options.output, () => observe(options)));
}

async function observe({ target: file, output, save, ...options }: ObserveOptions): Promise<void> {
  const target = parseTarget(await readInputFile(file));
  const windowMs = readDuration('--for', options.for);
  const beatMs = options.every === undefined ? undefined : readDuration('--every', options.every);
  const baseline = options.baseline === undefined ? undefined : await readObservation(options.baseline, target.name);
  process.stderr.write(`observing ${target.name} for ${formatDuration(windowMs)}\n`);
  const { observation, verdict } = await observeTarget(target, { windowMs, beatMs, baseline });
  if (save !== undefined) {
    await saveObservation(save, { target: target.name, observation, verdict: verdict.verdict });
    if (verdict.verdict !== 'pass') {
      process.stderr.write(`${save} is judged ${verdict.verdict}: --baseline will not take it\n`);
    }
  }
  const judged = { target: target.name, observation, verdict, compared: baseline !== undefined };
  print(output, observationJson(judged), observationText(judged));
  process.exitCode = { pass: ExitCode.ok, fail: ExitCode.failed, inconclusive: ExitCode.inconclusive }[verdict.verdict];
}

function readDuration(option: string, text: string): number {
  const parsed = Duration.safeParse(text);
  if (!parsed.success)
    throw new RequestError(
      `${option}: ${problemsOf(parsed.error)
        .map(({ message }) => message)
        .join('; ')}`,
    );
  if (parsed.data < 1_000) throw new RequestError(`${option} is ${text}, expected at least a second`);
  return parsed.data;
}
