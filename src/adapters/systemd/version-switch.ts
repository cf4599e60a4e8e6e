import { dirname, join } from 'node:path';
import { PreconditionError } from '../../core/errors.js';
import type { SystemdDriver, SystemdNode } from '../../core/input/input.js';
import { fillPlaceholders } from '../../core/input/placeholders.js';
import { execStartWith } from './exec-start.js';
import type { Step, UnitAccess } from './unit-access.js';
import type { UnitState } from './unit-state.js';

/** Late in the order in which drop-ins are read, so that it has the last word. */
const DROP_IN = '90-temporal-upgrade.conf';

/** How the units of a target get another version. */
export interface VersionSwitcher {
  /** Path of the server of that version. */
  programOf(node: SystemdNode, version: string): string;
  /** What has to be run; each may be run again. @throws PreconditionError when the unit cannot be switched so */
  stepsFor(access: UnitAccess, version: string, unit: UnitState): Promise<readonly Step[]>;
  /** Why the unit, as systemd has it loaded after the switch, would not run that version; undefined when it would. */
  problemOf(node: SystemdNode, version: string, unit: UnitState): string | undefined;
}

/** The switch that the input names. */
export function createVersionSwitcher({ versionSwitch, unitDir }: SystemdDriver): VersionSwitcher {
  const fill = (template: string, { name, role }: SystemdNode, version: string) =>
    fillPlaceholders(template, { node: name, role, version });
  const programOf = (node: SystemdNode, version: string) => fill(versionSwitch.program, node, version);

  if (versionSwitch.by === 'dropIn') {
    const fileOf = ({ unit }: SystemdNode) => join(unitDir, `${unit}.d`, DROP_IN);
    return {
      programOf,
      async stepsFor({ node, host }, version, unit) {
        const text = await host.run(['systemctl', 'cat', '--', node.unit]);
        const file = fileOf(node);
        const { files } = unit;
        const command = execStartWith(programOf(node, version), { unit: node.unit, text, files, without: file });
        return dropInSteps(file, command);
      },
      problemOf(node, version, { program, files }) {
        if (program === programOf(node, version)) return undefined;
        return `${node.unit} would run ${program ?? 'nothing'} in spite of ${fileOf(node)}; see which of its files comes later: ${files.join(', ')}`;
      },
    };
  }

  const linkOf = (node: SystemdNode, version: string) => fill(versionSwitch.link, node, version);
  const problemOf: VersionSwitcher['problemOf'] = (node, version, { program }) => {
    const link = linkOf(node, version);
    if (program === link || program?.startsWith(`${link}/`) === true) return undefined;
    return `ExecStart of ${node.unit} runs ${program ?? 'nothing'}, which does not go through the link ${link}`;
  };
  return {
    programOf,
    problemOf,
    async stepsFor({ node, host }, version, unit) {
      const problem = problemOf(node, version, unit);
      if (problem !== undefined) throw new PreconditionError(problem, { unit: node.unit, host: host.name });
      const link = linkOf(node, version);
      await host.run(['test', '-L', link]).catch((cause: unknown) => {
        throw new PreconditionError(`${link} on ${host.name} is no symbolic link`, { host: host.name }, { cause });
      });
      return linkSteps(link, fill(versionSwitch.to, node, version));
    },
  };
}

/** The file is whole at every moment: systemd does not read names that do not end in .conf. */
function dropInSteps(file: string, command: string): Step[] {
  const text = [
    '# Written by temporal-upgrade: the version that this unit runs. All but the program is as in the ExecStart below it.',
    '[Service]',
    'ExecStart=',
    `ExecStart=${command}`,
    '',
  ].join('\n');
  return [
    { argv: ['mkdir', '-p', dirname(file)] },
    { argv: ['tee', `${file}.new`], input: text },
    { argv: ['mv', '-f', `${file}.new`, file] },
    { argv: ['systemctl', 'daemon-reload'] },
  ];
}

/** At every moment the link leads to one of the two. */
function linkSteps(link: string, to: string): Step[] {
  return [{ argv: ['ln', '-sfn', to, `${link}.new`] }, { argv: ['mv', '-fT', `${link}.new`, link] }];
}
