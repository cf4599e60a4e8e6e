import { readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline/promises';
import { messageOf } from '../../core/errors.js';
import { parseRolloutInput, parseTarget, type Connection } from '../../core/input/input.js';
import { describeRollout, describeTarget, type DescribedTarget } from '../../describing.js';
import { readInputFile } from '../../input-file.js';
import { shellWord } from '../../report/escape.js';
import { RequestError } from '../../core/request-error.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface InitOptions extends Pick<CommonOptions, 'output'> {
  readonly name?: string;
  readonly address?: string;
  readonly profile?: string;
  readonly tls?: true;
  readonly tlsCaPath?: string;
  readonly tlsCertPath?: string;
  readonly tlsKeyPath?: string;
  readonly tlsServerName?: string;
  readonly apiKeyEnv?: string;
  readonly backupDir?: string;
  readonly staging?: string;
  readonly live?: string;
  readonly to?: string;
  readonly write?: string;
  readonly force: boolean;
}

/** Writes the file of one cluster, or of a roll-out of two. @throws RequestError, PreconditionError, InvalidRolloutError */
export function init(options: InitOptions): Promise<void> {
  return isRollout(options) ? initRollout(options) : initTarget(options);
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
    const name = options.name ?? (await ask('--name', 'what people call the cluster, such as prod'));
    const backupDir = options.backupDir ?? (await ask('--backup-dir', 'folder for backups of it'));
    return { name, connection, backupDir };
  });
  if (!/^[a-z0-9][a-z0-9-]*$/.test(answers.name))
    throw new RequestError(`--name ${answers.name}: expected lower-case letters, digits and dashes`);
  const file = options.write ?? `${answers.name}.yaml`;
  const described = await describeTarget(answers, { file, replace: options.force });
  const next = [`temporal-upgrade doctor --target ${shellWord(file)}`];
  print(options.output, { ...described, next }, [...linesOf(described), ...next.map((line) => `  ${line}`)].join('\n'));
}

function linesOf({ file, version, shards, nodes, here, toDo, unseen }: DescribedTarget): string[] {
  return [
    `written to ${file}: ${version}, ${shards} shards, ${nodes} processes, ${here} of them on this host`,
    ...unseen.map((line) => `  not seen: ${line}`),
    ...(toDo.length === 0 ? [] : ['to do by hand:', ...toDo.map((line) => `  ${line}`)]),
    'next:',
  ];
}

async function connectionOf(options: InitOptions, ask: Ask): Promise<Connection> {
  if (options.profile !== undefined) return { profile: options.profile };
  const address =
    options.address ?? (await ask('--address', 'host:port of a frontend, or of the balancer before them'));
  const { tlsCaPath, tlsCertPath, tlsKeyPath, tlsServerName, apiKeyEnv } = options;
  const files = {
    serverCaFile: tlsCaPath,
    clientCertFile: tlsCertPath,
    clientKeyFile: tlsKeyPath,
    serverName: tlsServerName,
  };
  const given = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
  return {
    address,
    ...(Object.keys(given).length > 0 ? { tls: given } : options.tls === true ? { tls: true } : {}),
    ...(apiKeyEnv === undefined ? {} : { apiKey: { env: apiKeyEnv } }),
  };
}

/** Asks for what a flag would say. @throws RequestError where nobody is there to answer */
type Ask = (flag: string, question: string) => Promise<string>;

async function withQuestions<T>({ output }: InitOptions, use: (ask: Ask) => Promise<T>): Promise<T> {
  let terminal: Interface | undefined;
  const isAnswered = output === 'text' && process.stdin.isTTY && process.stdout.isTTY;
  const ask: Ask = async (flag, question) => {
    if (!isAnswered) throw new RequestError(`${flag} is missing: ${question}`);
    terminal ??= createInterface({ input: process.stdin, output: process.stdout });
    const answer = (await terminal.question(`${question}: `)).trim();
    if (answer === '') throw new RequestError(`${flag} is missing: ${question}; nothing was written`);
    return answer;
  };
  try {
    return await use(ask);
  } finally {
    terminal?.close();
  }
}
