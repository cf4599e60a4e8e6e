import type { Command } from 'commander';
import { rolloutJsonSchema } from '../core/input/input-json-schema.js';
import { print, runCommandLine } from './output.js';

/** `schema`: for editors that check YAML and JSON as one writes. */
export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of a roll-out, for editors')
    .action(() =>
      runCommandLine('text', () =>
        Promise.resolve(print('text', undefined, JSON.stringify(rolloutJsonSchema(), null, 2))),
      ),
    );
}
