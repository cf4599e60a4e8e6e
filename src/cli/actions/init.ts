import { readFile } from 'node:fs/promises';
import { messageOf } from '../../core/errors.js';
import { parseRolloutInput, parseTarget } from '../../core/input/input.js';
import { RequestError } from '../../core/request-error.js';
import { describeRollout, describeTarget, type DescribedTarget } from '../../describing.js';
import { readInputFile } from '../../input-file.js';
import { shellWord } from '../../report/escape.js';
import { print } from '../output.js';
import { withQuestions } from './ask.js';
import { connectionOf, type InitOptions, leftLines, namesOf } from './init-answers.js';
import { initRelease, isInKubernetes } from './init-release.js';

/** Writes the file of one cluster, or of a roll-out of two. @throws RequestError, PreconditionError, InvalidRolloutError */
export async function init(options: InitOptions): Promise<void> {
  if (isRollout(options)) return initRollout(options);
  return isInKubernetes(options) ? initRelease(options) : initTarget(options);
}

function isRollout({ staging, live, to }: InitOptions): boolean {
  return [staging, live, to].some((one) => one !== undefined);
}

async function initRollout({ staging, live, to, write = 'rollout.yaml', force, output }: InitOptions): Promise<void> {
  if (staging === undefined || live === undefined || to === undefined)
    throw new RequestError('a roll-out takes all three: --staging and --live, the target files, and --to');
  const read = (file: string) => readInputFile(file).then(parseTarget);
  const targets = { staging: await read(staging), live: await read(live) };
  parseRolloutInput({ to, staging: targets.staging, live: targets.live });
  await describeRollout(
    { to, staging: await textOf(staging), live: await textOf(live) },
    { file: write, replace: force },
  );
  const next = `temporal-upgrade plan --file ${shellWord(write)}`;
  print(output, { file: write, next: [next] }, `written to ${write}; next:\n\n  ${next}`);
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new RequestError(`${file} cannot be read: ${messageOf(cause)}`, { cause });
  });
}

async function initTarget(options: InitOptions): Promise<void> {
  const answers = await withQuestions(options, async (ask) => {
    const connection = await connectionOf(options, ask);
    return { connection, ...(await namesOf(options, ask)) };
  });
  const file = options.write ?? `${answers.name}.yaml`;
  const described = await describeTarget(answers, { file, replace: options.force });
  const next = [`temporal-upgrade doctor --target ${shellWord(file)}`];
  print(options.output, { ...described, next }, [...linesOf(described), ...next.map((line) => `  ${line}`)].join('\n'));
}

function linesOf(described: DescribedTarget): string[] {
  const { file, version, shards, nodes, here } = described;
  return [
    `written to ${file}: ${version}, ${shards} shards, ${nodes} processes, ${here} of them on this host`,
    ...leftLines(described),
  ];
}
