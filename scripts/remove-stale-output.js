// Removes from dist what has no source any more. The compiler leaves it there, and an import that is wrong would still find it.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const entry of readdirSync(`${root}dist`, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith('-bundle.js')) continue;
  const file = `${entry.parentPath}/${entry.name}`;
  const source = file.replace(`${root}dist/`, `${root}src/`).replace(/\.js(\.map)?$/, '.ts');
  if (!existsSync(source) && !existsSync(`${source}x`)) rmSync(file);
}
