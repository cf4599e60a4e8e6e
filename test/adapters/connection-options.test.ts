import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectionOptions } from '../../src/adapters/connection-options.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'connection-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileOf(name: string, content: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, content);
  return file;
}

test('an address alone is plain', async () => {
  expect(await connectionOptions({ address: 'localhost:7233' })).toEqual({ address: 'localhost:7233' });
});

test('an API key is read from its file and switches TLS on', async () => {
  const file = await fileOf('key', 'secret-key\n');
  expect(await connectionOptions({ address: 'a:1', apiKey: { file } })).toEqual({
    address: 'a:1',
    tls: true,
    apiKey: 'secret-key',
  });
});

test('certificates are read, and an unreadable one is named', async () => {
  const serverCaFile = await fileOf('ca.pem', 'CA');
  expect(await connectionOptions({ address: 'a:1', tls: { serverCaFile, serverName: 'x' } })).toEqual({
    address: 'a:1',
    tls: { serverRootCACertificate: Buffer.from('CA'), serverNameOverride: 'x' },
  });
  const missing = join(directory, 'missing.pem');
  await expect(connectionOptions({ address: 'a:1', tls: { serverCaFile: missing } })).rejects.toThrow(missing);
});

test('a profile is read from its file, and TEMPORAL_ADDRESS of the worker does not replace it', async () => {
  const configFile = await fileOf(
    'temporal.toml',
    '[profile.prod]\naddress = "prod:7233"\napi_key = "the-key"\n[profile.prod.grpc_meta]\nx-team = "a"\n',
  );
  const before = process.env['TEMPORAL_ADDRESS'];
  process.env['TEMPORAL_ADDRESS'] = 'control-plane:7233';
  try {
    expect(await connectionOptions({ profile: 'prod', configFile })).toEqual({
      address: 'prod:7233',
      tls: true,
      apiKey: 'the-key',
      metadata: { 'x-team': 'a' },
    });
  } finally {
    if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
    else process.env['TEMPORAL_ADDRESS'] = before;
  }
});

test('a profile that is missing, has no address or is broken is named, without what the file holds', async () => {
  const configFile = await fileOf('no-address.toml', '[profile.prod]\nnamespace = "x"\n');
  await expect(connectionOptions({ profile: 'stage', configFile })).rejects.toThrow('no such profile');
  await expect(connectionOptions({ profile: 'prod', configFile })).rejects.toThrow('has no address');
  const broken = await fileOf('broken.toml', '[profile.prod]\napi_key = "hush-hush" oops\n');
  const error: unknown = await connectionOptions({ profile: 'prod', configFile: broken }).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: 'PreconditionError', message: expect.stringContaining('line 2') });
  expect(JSON.stringify(error) + String(error)).not.toContain('hush-hush');
});
