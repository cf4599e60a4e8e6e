import type { Command } from 'commander';
import { print, runCommandLine } from './output.js';

/** `schema`: for editors that check YAML and JSON as one writes, and for people. */
export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of a roll-out, for editors; or every field of it, for people')
    .option('--markdown', 'a table for each object')
    .action(({ markdown }: { readonly markdown?: true }) =>
      runCommandLine('text', async () => {
        const { rolloutJsonSchema } = await import('../core/input/input-json-schema.js');
        const { schemaReference } = await import('../report/schema-reference.js');
        const schema = rolloutJsonSchema();
        print('text', undefined, markdown === true ? schemaReference(schema) : JSON.stringify(schema, null, 2));
      }),
    );
}
