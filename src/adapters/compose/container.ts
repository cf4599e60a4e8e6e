import { basename } from 'node:path';
import { z } from 'zod';

/** Parts of `container inspect` that docker and podman (4.3 and later) agree in. */
const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: z.string(),
  State: z.object({
    Status: z.string(),
    Pid: z.number().default(0),
    StartedAt: z.string().default(''),
    Health: z
      .object({
        Status: z.string().default(''),
        Log: z.array(z.object({ Output: z.string().default('') })).nullish(),
      })
      .nullish(),
  }),
  Config: z.object({
    Image: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Env: z.array(z.string()).nullish(),
    WorkingDir: z.string().default(''),
    Healthcheck: z
      .object({ Test: z.array(z.string()).nullish(), Interval: z.number().nullish(), Timeout: z.number().nullish() })
      .nullish(),
  }),
  HostConfig: z
    .object({
      NetworkMode: z.string().default(''),
      LogConfig: z.object({ Path: z.string().nullish() }).nullish(),
    })
    .prefault({}),
  NetworkSettings: z
    .object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string().nullish() })).nullish() })
    .nullish(),
  Mounts: z.array(z.object({ Type: z.string(), Source: z.string().default(''), Destination: z.string() })).nullish(),
  LogPath: z.string().nullish(),
  /** Containers that podman takes it to stand on. */
  Dependencies: z.array(z.string()).nullish(),
});

/** A container of a service, as its engine has it. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** As it was named when the container was made, whatever the name means by now. */
  readonly image: string;
  readonly createdAt: string;
  readonly status: string;
  /** Whether a process of it is there. */
  readonly running: boolean;
  readonly startedAt: string;
  /** On the host of the engine; 0 when nothing runs. */
  readonly pid: number;
  readonly health: { readonly status: string; readonly output: string; readonly ran: boolean } | undefined;
  /** How long the engine may take to have run the check of its health once, in milliseconds. */
  readonly firstCheckMs: number;
  readonly env: ReadonlyMap<string, string>;
  readonly workingDir: string;
  /** `host`, `bridge`, `container:ID`, or a network. */
  readonly networkMode: string;
  /** Its address in each network. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Folders and files of the host that it sees. */
  readonly binds: readonly { readonly from: string; readonly to: string }[];
  readonly logFile: string | undefined;
  /** Names, without folders, of the files that it was made from; empty where that is not known. */
  readonly files: readonly string[];
  /** Ids of containers without which it cannot be. */
  readonly standsOn: readonly string[];
}

const GONE = ['exited', 'created', 'dead', 'configured', 'initialized', 'stopped', 'removing'];
const SERVICE = 'com.docker.compose.service';

/** Reads what `container inspect` printed. Runs of `compose run` are left out. @throws ZodError when it is something else */
export function readContainers(printed: string): Container[] {
  return z
    .array(Inspected)
    .parse(JSON.parse(printed))
    .filter(({ Config: { Labels } }) => Labels?.['com.docker.compose.oneoff']?.toLowerCase() !== 'true')
    .map(toContainer);
}

function toContainer(found: z.infer<typeof Inspected>): Container {
  const { State: state, Config: config, HostConfig: host, NetworkSettings: network } = found;
  const networks = Object.entries(network?.Networks ?? {});
  const check = config.Healthcheck;
  const isChecked = (check?.Test ?? []).length > 0 && check?.Test?.[0] !== 'NONE';
  const logFile = found.LogPath ?? host.LogConfig?.Path ?? '';
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    service: config.Labels?.[SERVICE] ?? '',
    image: config.Image,
    createdAt: timeOf(found.Created),
    status: state.Status,
    running: !GONE.includes(state.Status),
    startedAt: timeOf(state.StartedAt),
    pid: state.Pid,
    health:
      isChecked && state.Health !== undefined && state.Health !== null
        ? {
            status: state.Health.Status,
            output: state.Health.Log?.at(-1)?.Output ?? '',
            ran: (state.Health.Log ?? []).length > 0,
          }
        : undefined,
    firstCheckMs: ((check?.Interval ?? 0) || 30e9) / 1e6 + ((check?.Timeout ?? 0) || 30e9) / 1e6,
    env: new Map((config.Env ?? []).map((text) => splitAtEquals(text))),
    workingDir: config.WorkingDir === '' ? '/' : config.WorkingDir,
    networkMode: host.NetworkMode,
    addresses: new Map(
      networks.map(([name, { IPAddress }]) => [name, IPAddress ?? ''] as const).filter(([, address]) => address !== ''),
    ),
    binds: (found.Mounts ?? [])
      .filter(({ Type }) => Type === 'bind')
      .map(({ Source, Destination }) => ({ from: Source, to: Destination })),
    logFile: logFile === '' ? undefined : logFile,
    files: (config.Labels?.['com.docker.compose.project.config_files'] ?? '')
      .split(',')
      .filter((file) => file !== '')
      .map((file) => basename(file)),
    standsOn: [
      ...(found.Dependencies ?? []),
      ...(host.NetworkMode.startsWith('container:') ? [host.NetworkMode.slice('container:'.length)] : []),
    ],
  };
}

/** Engines write nanoseconds, podman with a zone of its own. */
function timeOf(text: string): string {
  const ms = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
}

function splitAtEquals(text: string): [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
