import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Compiles folders of `src` as they are now, for tests that need processes of their own, which can be killed. Lies inside
 * the checkout, where its imports find node_modules. Call `remove` when done.
 */
export function compileSource(folders: readonly string[]): { readonly directory: string; remove(): void } {
  const directory = join(root, '.test-results', `compiled-${process.pid}-${Date.now()}`);
  for (const folder of folders) {
    for (const name of readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(root, 'src', folder, name), 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
      });
      const file = join(directory, folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, outputText);
    }
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
