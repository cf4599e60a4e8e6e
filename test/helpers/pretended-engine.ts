import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { Programs } from '../../src/adapters/compose/programs.js';
import { PreconditionError } from '../../src/core/errors.js';
import { shellLine } from '../../src/core/shell-line.js';

interface Pretended {
  readonly Id: string;
  readonly service: string;
  readonly number: number;
  readonly image: string;
  readonly createdAt: string;
  status: string;
}

export interface PretendedOptions {
  /** Service to how many containers of `image` it has. */
  readonly services: Readonly<Record<string, number>>;
  readonly image: string;
  readonly overrideFile: string;
  /** Added to what the engine says of each container. */
  readonly more?: (service: string, image: string) => object;
  /** Status of a container that was just made: `running` unless given. */
  readonly statusOf?: (image: string) => string;
}

/**
 * Stands in for docker and its Compose, which number what they make anew upwards: containers of one service that have networks of
 * their own cannot be had in tests, where podman has that of the host alone. It knows just what the driver asks of it.
 */
export class PretendedEngine implements Programs {
  readonly ran: string[] = [];
  /** The next run of this command never returns, as when the worker is killed before it. */
  killedBefore: string | undefined;
  #containers: Pretended[] = [];
  #made = 0;

  constructor(private readonly options: PretendedOptions) {
    for (const [service, count] of Object.entries(options.services)) {
      for (let made = 0; made < count; made += 1) this.#make(service, options.image);
    }
  }

  async engine(args: readonly string[]) {
    const [command = '', ...rest] = args;
    if (['stop', 'rm', 'pull'].includes(command)) this.#note(args);
    const name = rest.at(-1) ?? '';
    if (command === 'ps') return print(this.#containers.map(({ Id }) => Id).join('\n'));
    if (command === 'container') return print(JSON.stringify(this.#containers.map((one) => this.#inspect(one))));
    if (command === 'stop') this.#named(name).status = 'exited';
    if (command === 'rm') this.#containers = this.#containers.filter((one) => one !== this.#named(name));
    if (command === 'logs') return print('{"level":"fatal","msg":"no database"}');
    if (command === 'image' && name.endsWith(':1.30.99')) throw new PreconditionError('no such image');
    if (command === 'pull') throw new PreconditionError('manifest unknown');
    return Promise.resolve(print(''));
  }

  async compose(args: readonly string[]) {
    this.#note(args);
    const service = args.at(-1) ?? '';
    const wanted = Number(args.find((arg) => arg.startsWith(`${service}=`))?.split('=')[1] ?? 1);
    const text = await readFile(this.options.overrideFile, 'utf8').catch(() => 'services: {}');
    const { services } = parse(text) as { services: Record<string, { image: string }> }; // what the driver wrote
    while (this.#containers.filter((one) => one.service === service).length < wanted) {
      this.#make(service, services[service]?.image ?? this.options.image);
    }
    return print('');
  }

  composeLine = (args: readonly string[]) => shellLine(['docker', 'compose', ...args]);
  engineLine = (args: readonly string[]) => shellLine(['docker', ...args]);

  /** Images of the containers of a service, in the order of their numbers, as `2:1.29.1`. */
  imagesOf(service: string): string[] {
    const own = this.#containers.filter((one) => one.service === service).toSorted((a, b) => a.number - b.number);
    return own.map(({ number, image }) => `${number}:${image.split(':').at(-1) ?? ''}`);
  }

  #note(args: readonly string[]): void {
    const line = shellLine(args);
    if (this.killedBefore !== undefined && line.startsWith(this.killedBefore)) {
      this.killedBefore = undefined;
      throw new Error('killed');
    }
    this.ran.push(line);
  }

  #make(service: string, image: string): void {
    const numbers = this.#containers.filter((one) => one.service === service).map(({ number }) => number);
    this.#made += 1;
    this.#containers.push({
      Id: `id-${this.#made}`,
      service,
      number: Math.max(0, ...numbers) + 1,
      image,
      createdAt: new Date(Date.now() - 10_000 + this.#made).toISOString(),
      status: this.options.statusOf?.(image) ?? 'running',
    });
  }

  #named(name: string): Pretended {
    const found = this.#containers.find((one) => nameOf(one) === name);
    if (found === undefined) throw new PreconditionError(`no such container: ${name}`);
    return found;
  }

  #inspect(one: Pretended): object {
    const { Id, service, image, createdAt, status } = one;
    const more = this.options.more?.(service, image) ?? {};
    return {
      Id,
      Name: `/${nameOf(one)}`,
      Created: createdAt,
      State: { Status: status, Pid: 0, StartedAt: createdAt },
      Config: { Image: image, Labels: { 'com.docker.compose.service': service } },
      HostConfig: { NetworkMode: 'temporal_default' },
      NetworkSettings: { Networks: { temporal_default: { IPAddress: status === 'running' ? '127.0.0.1' : '' } } },
      ...more,
    };
  }
}

const nameOf = ({ service, number }: Pretended) => `temporal-${service}-${number}`;
const print = (stdout: string) => ({ stdout, stderr: '', durationMs: 1 });
