/** What starts a server process again when it ends, and so would undo a roll-out that stops it. */
export interface Supervisor {
  readonly kind: 'systemd unit' | 'Kubernetes pod' | 'container' | 'process';
  readonly name: string;
  /** Where it was seen. */
  readonly evidence: string;
}

/** A process above another one. */
export interface Ancestor {
  readonly pid: number;
  readonly argv: readonly string[];
  /** Whether it is a worker of this project: that starts nothing again by itself. */
  readonly isOurs: boolean;
}

export interface ProcessSurroundings {
  readonly pid: number;
  /** Text of /proc/PID/cgroup. */
  readonly cgroup: string;
  /** That of this worker. What both are in is no sign: a server that a worker started stays in its group. */
  readonly ownCgroup: string;
  /** Parent first, up to but without init (process 1). */
  readonly ancestors: readonly Ancestor[];
}

/** Who would start a process again. Empty when its parent is init and its control group nobody's. */
export function supervisorsOf(surroundings: ProcessSurroundings): Supervisor[] {
  return [...fromCgroup(surroundings), ...fromAncestors(surroundings.ancestors)];
}

function fromCgroup({ pid, cgroup, ownCgroup }: ProcessSurroundings): Supervisor[] {
  const own = new Set(pathsOf(ownCgroup));
  for (const path of pathsOf(cgroup)) {
    if (own.has(path)) continue;
    const found = readCgroupPath(path);
    if (found !== undefined) return [{ ...found, evidence: `/proc/${pid}/cgroup: ${path}` }];
  }
  return [];
}

/** The paths of `hierarchy:controllers:path` lines, longest first: that of another hierarchy may stop higher up. */
function pathsOf(cgroup: string): string[] {
  const paths = cgroup.split('\n').flatMap((line) => /^\d+:[^:]*:(.+)$/.exec(line)?.[1] ?? []);
  return [...new Set(paths)].toSorted((a, b) => b.length - a.length);
}

function readCgroupPath(path: string): Omit<Supervisor, 'evidence'> | undefined {
  const pod = /kubepods.*?pod([0-9a-f]{8}[-_][0-9a-f_-]{27,})/.exec(path)?.[1];
  if (pod !== undefined) return { kind: 'Kubernetes pod', name: pod.replaceAll('_', '-') };
  const container = /(?:docker|libpod|crio|containerd|nerdctl|lxc|garden|machine)[^/]*[-/]([0-9a-f]{12,64})\b/.exec(
    path,
  );
  if (container?.[1] !== undefined) return { kind: 'container', name: container[1].slice(0, 12) };
  // user@1000.service is the manager of a login, in which sessions and units of a person live.
  const unit = path.split('/').findLast((part) => part.endsWith('.service') && !/^user@\d+\.service$/.test(part));
  return unit === undefined ? undefined : { kind: 'systemd unit', name: unit };
}

/** Programs that only hand on what they were told to start; who is above them counts. */
const WRAPPERS = ['sudo', 'su', 'runuser', 'setpriv', 'gosu', 'su-exec', 'env', 'nohup', 'setsid', 'nice', 'timeout'];
/** A person, or a login, is above these: nobody starts the server again. Or systemd, whose unit tells in the control group. */
const PEOPLE = ['sshd', 'login', 'tmux', 'screen', 'systemd', 'init', 'script'];
const SHELLS = ['sh', 'bash', 'dash', 'zsh', 'ash', 'ksh', 'fish', 'busybox'];

function fromAncestors(ancestors: readonly Ancestor[]): Supervisor[] {
  for (const { pid, argv, isOurs } of ancestors) {
    const program = programOf(argv);
    if (isOurs || PEOPLE.includes(program) || (SHELLS.includes(program) && isInteractive(argv))) return [];
    if (WRAPPERS.includes(program)) continue;
    return [{ kind: 'process', name: `${program} (process ${pid})`, evidence: `parent process ${pid}` }];
  }
  return [];
}

function programOf([first = '']: readonly string[]): string {
  // A login shell is called -bash; titles such as "sshd: ann@pts/0" stand in the place of the program.
  return (first.split('/').at(-1) ?? '').replace(/^-/, '').split(/[: ]/)[0] ?? '';
}

/** A shell that was given no script and no command. */
function isInteractive([, ...args]: readonly string[]): boolean {
  return args.every((arg) => /^[-+]/.test(arg) && !/^-[a-z]*c/.test(arg));
}
