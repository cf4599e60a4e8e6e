import { RequestError } from '../../core/request-error.js';
import type { Connection } from '../../core/input/input.js';
import type { DescribedTarget } from '../../describing.js';
import type { Ask } from './ask.js';
import type { CommonOptions } from '../options.js';

/** What `init` is told by flags. */
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
  readonly kubeconfig?: string;
  readonly kubeContext?: string;
  readonly kubeNamespace?: string;
  readonly release?: string;
  readonly backupDir?: string;
  readonly staging?: string;
  readonly live?: string;
  readonly to?: string;
  readonly write?: string;
  readonly force: boolean;
}

/** What people call a cluster, and where its backups go. @throws RequestError */
export async function namesOf(
  options: InitOptions,
  ask: Ask,
): Promise<{ readonly name: string; readonly backupDir: string }> {
  const name = options.name ?? (await ask('--name', 'what people call the cluster, such as prod'));
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new RequestError(`--name ${name}: expected lower-case letters, digits and dashes`);
  return { name, backupDir: options.backupDir ?? (await ask('--backup-dir', 'folder for backups of it')) };
}

/** How clients reach a cluster, by the flags; its address is asked for where none says it. @throws RequestError */
export async function connectionOf(options: InitOptions, ask: Ask): Promise<Connection> {
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

/** What could not be seen and what is left to do, and that a command follows. */
export function leftLines({ toDo, unseen }: Pick<DescribedTarget, 'toDo' | 'unseen'>): string[] {
  return [
    ...unseen.map((line) => `  not seen: ${line}`),
    ...(toDo.length === 0 ? [] : ['to do by hand:', ...toDo.map((line) => `  ${line}`)]),
    'next:',
  ];
}
