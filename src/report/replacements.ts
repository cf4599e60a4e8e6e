import type { HopReplacements } from '../core/plan.js';

/** What other programs read of it; the shape is part of the command line's contract. */
export function replacementsJson(replacements: readonly HopReplacements[]): HopReplacements[] {
  return replacements.map(({ from, to, nodes }) => ({
    from,
    to,
    nodes: nodes.map(({ node, role, commands, problem }) => ({
      node,
      role,
      commands: [...commands],
      ...(problem === undefined ? {} : { problem }),
    })),
  }));
}

/** What replaces the servers, for people. Commands are not broken into lines: they can be copied. */
export function replacementsText(replacements: readonly HopReplacements[]): string {
  return replacements
    .map(({ from, to, nodes }, index) =>
      [
        `${index + 1}. ${from} → ${to}: what replaces the servers, in this order`,
        ...nodes.flatMap(({ node, role, commands, problem }) => [
          `  ${node} (${role})`,
          ...commands.map((command) => `    $ ${command}`),
          ...(problem === undefined ? [] : [`    ! cannot be said: ${problem.replaceAll('\n', '\n      ')}`]),
        ]),
      ].join('\n'),
    )
    .join('\n\n');
}
