import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';

/**
 * Writes a Go module proxy into `directory`, as files, with one version of one module. Go itself reads and builds it; the
 * real modules take minutes to build. Returns the value for GOPROXY.
 */
export async function writeGoModule(
  directory: string,
  module: {
    readonly path: string;
    readonly version: string;
    readonly files: Readonly<Record<string, string>>;
    /** What its go.mod says beside its own name. */
    readonly goMod?: string;
  },
): Promise<string> {
  const versions = join(directory, module.path, '@v');
  await mkdir(versions, { recursive: true });
  const name = join(versions, `v${module.version}`);
  const goMod = `module ${module.path}\n\ngo 1.21\n${module.goMod ?? ''}`;
  const prefix = `${module.path}@v${module.version}`;
  await writeFile(join(versions, 'list'), `v${module.version}\n`);
  await writeFile(`${name}.info`, JSON.stringify({ Version: `v${module.version}`, Time: '2026-01-01T00:00:00Z' }));
  await writeFile(`${name}.mod`, goMod);
  const files = Object.entries({ 'go.mod': goMod, ...module.files });
  await writeFile(`${name}.zip`, zip(files.map(([file, text]) => [`${prefix}/${file}`, Buffer.from(text)])));
  return pathToFileURL(directory).href;
}

/** A zip file without compression: local headers with data, the central directory, and its end record. */
function zip(entries: readonly (readonly [string, Buffer])[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [path, data] of entries) {
    const name = Buffer.from(path);
    // Version needed 2.0, no flags, stored, 1 January 2026, checksum, both sizes, length of the name, no extra field.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(((2026 - 1980) << 9) | (1 << 5) | 1, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    local.push(Buffer.from('PK\x03\x04'), common, name, data);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), common, tail, name);
    offset += 4 + common.length + name.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
