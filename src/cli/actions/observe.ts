import { RequestError } from '../../core/request-error.js';
import { Duration, formatDuration } from '../../core/duration.js';
import { parseTarget } from '../../core/input/input.js';
import { problemsOf } from '../../core/input/input-problems.js';
import { readInputFile } from '../../input-file.js';
import { observeTarget, readObservation, saveObservation } from '../../observing.js';
import { observationJson, observationText } from '../../report/observation.js';
import { ExitCode } from '../exit-codes.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface ObserveOptions extends Pick<CommonOptions, 'output'> {
  readonly target: string;
  readonly for: string;
  readonly every?: string;
  readonly baseline?: string;
  readonly save?: string;
}

/** Measures a cluster for a while, prints how it is judged; the exit code says it too. @throws RequestError */
export async function observe({ target: file, output, save, ...options }: ObserveOptions): Promise<void> {
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
