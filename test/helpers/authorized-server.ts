import { spawn, type ChildProcess } from 'node:child_process';
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { stringify } from 'yaml';
import { createToolResolver } from '../../src/adapters/tools/tool-resolver.js';
import { findFreePorts } from '../../src/lab/free-ports.js';
import { soleCluster } from '../../src/lab/server-config.js';

const HOST = '127.0.0.1';
const SERVICES = ['frontend', 'internal-frontend', 'history', 'matching', 'worker'] as const;
const KEY_ID = 'test';

/**
 * A real Temporal server with its default authorizer, all roles in one process and its database in memory, which tells in each
 * event who sent it. People are those for whom {@link AuthorizedServer.tokenOf} has made a token.
 */
export class AuthorizedServer {
  private constructor(
    readonly address: string,
    private readonly privateKey: KeyObject,
    private readonly keys: Server,
    private readonly child: ChildProcess,
    private readonly log: string,
  ) {}

  static async start(directory: string, version: string): Promise<AuthorizedServer> {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' };
    const keys = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
    const ports = await findFreePorts(SERVICES.length * 2 + 1);
    const [keyPort = 0, frontendPort = 0] = ports;
    await new Promise<void>((listening) => keys.listen(keyPort, HOST, listening));
    const configDir = join(directory, 'authorized-config');
    await mkdir(configDir, { recursive: true });
    const dynamicConfig = join(configDir, 'dynamic.yaml');
    await writeFile(
      dynamicConfig,
      stringify({
        'frontend.enablePrincipalPropagation': [{ value: true }],
        'system.forceSearchAttributesCacheRefreshOnRead': [{ value: true }],
      }),
    );
    await writeFile(join(configDir, 'test.yaml'), stringify(configuration(ports, dynamicConfig)));
    const program = await createToolResolver().serverTool('temporal-server', version);
    const log = join(directory, 'authorized.log');
    const out = openSync(log, 'a');
    const services = SERVICES.map((service) => `--service=${service}`);
    const child = spawn(program, ['--root', '/', '--config', configDir, '--env', 'test', 'start', ...services], {
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    const server = new AuthorizedServer(`${HOST}:${frontendPort}`, privateKey, keys, child, log);
    try {
      await server.#ready();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** A JSON Web Token by which the server knows a person; `permissions` such as `default:write`. */
  tokenOf(person: string, ...permissions: readonly string[]): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { sub: person, permissions, exp: Math.floor(Date.now() / 1_000) + 3_600 };
    const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })}.${part(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.privateKey).toString('base64url')}`;
  }

  /** As whom calls are made. */
  metadataOf(person: string, ...permissions: readonly string[]): { authorization: string } {
    return { authorization: `Bearer ${this.tokenOf(person, ...permissions)}` };
  }

  connect(person: string, ...permissions: readonly string[]): Promise<Connection> {
    return Connection.connect({ address: this.address, metadata: this.metadataOf(person, ...permissions) });
  }

  async stop(): Promise<void> {
    this.keys.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Until the namespace `default` is there, and known. */
  async #ready(): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (let registered = false; ;) {
      try {
        const connection = await this.connect('admin', 'temporal-system:admin', 'default:admin');
        try {
          const { workflowService } = connection;
          const namespace = 'default';
          if (!registered)
            await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
          registered = true;
          await workflowService.describeTaskQueue({ namespace, taskQueue: { name: 'any' } });
          return;
        } finally {
          await connection.close();
        }
      } catch (error) {
        if (Date.now() > deadline || this.child.exitCode !== null)
          throw new Error(`the server with an authorizer does not serve; see ${this.log}`, { cause: error });
        await sleep(250);
      }
    }
  }
}

function configuration([keyPort = 0, ...ports]: readonly number[], dynamicConfig: string): object {
  const store = (databaseName: string) => ({
    sql: {
      pluginName: 'sqlite',
      databaseName,
      connectAddr: 'localhost',
      connectProtocol: 'tcp',
      connectAttributes: { mode: 'memory', cache: 'private' },
      maxConns: 1,
      maxIdleConns: 1,
    },
  });
  const services = SERVICES.map((service, index) => [
    service,
    { rpc: { grpcPort: ports[2 * index], membershipPort: ports[2 * index + 1], bindOnIP: HOST } },
  ]);
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 1,
      datastores: { default: store('default'), visibility: store('visibility') },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: HOST },
      authorization: {
        authorizer: 'default',
        claimMapper: 'default',
        jwtKeyProvider: { keySourceURIs: [`http://${HOST}:${keyPort}/keys.json`], refreshInterval: '1m' },
      },
    },
    services: Object.fromEntries(services) as object,
    clusterMetadata: soleCluster(`${HOST}:${ports[0]}`),
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicConfig, pollInterval: '10s' },
  };
}
