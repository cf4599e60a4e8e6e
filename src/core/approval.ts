import { refusalOf, type Decision, type DecisionKind, type Situation } from './decision.js';
import { nameOf, type Identity, type IdentityGrade } from './identity.js';
import type { ApprovalPolicy } from './input/approval.js';

/** What stops, or refuses to go on, harms nothing: it counts from whoever sends it. */
const FREE: readonly DecisionKind[] = ['pause', 'reject'];

export interface Sender {
  readonly decision: Decision;
  /** All that is known of who sent it, what it says included. */
  readonly identity: Identity;
  /** Why more could not be found out of who it is. */
  readonly identityProblem?: string | undefined;
}

export interface ApprovalCase {
  /** Its place in the input, such as `policy.approval.live`. */
  readonly at: string;
  readonly policy: ApprovalPolicy;
  readonly starter: Identity;
  /** Names of those who have approved the open gate so far. */
  readonly given: readonly string[];
}

export interface Judged {
  /** The name by which it was judged. */
  readonly who: { readonly name: string; readonly grade: IdentityGrade } | undefined;
  /** Why it does not count. */
  readonly refused: string | undefined;
  /** It has its effect now: an approval, when it is the last of those that are needed. */
  readonly takesEffect: boolean;
}

/** Whether a decision counts, in the situation and by the policy; before the input is known there is none. */
export function judgeDecision(sender: Sender, situation: Situation, rules: ApprovalCase | undefined): Judged {
  const { decision, identity } = sender;
  const grade = rules?.policy.identity ?? 'said';
  const isKnown = grade !== 'said' && identity[grade] !== undefined;
  const refused =
    refusalOf(decision, { ...situation, isKnown }) ??
    (rules === undefined ? undefined : refusalByPolicy(sender, rules));
  const needed = decision.kind === 'approve' ? (rules?.policy.count ?? 1) : 1;
  const takesEffect = refused === undefined && (rules?.given.length ?? 0) + 1 >= needed;
  return { who: nameOf(identity, grade), refused, takesEffect };
}

/** Why the policy does not let a decision count; undefined when it does. */
function refusalByPolicy({ decision, identity, identityProblem }: Sender, given: ApprovalCase): string | undefined {
  const { policy, at } = given;
  const { kind, by, reason } = decision;
  if (FREE.includes(kind)) return undefined;
  if (policy.reasonRequired && reason === undefined) return `${at}.reasonRequired: send a reason too: {…,"reason":"…"}`;
  const name = identity[policy.identity];
  if (name === undefined) return needsName(given, kind, identityProblem);
  if (policy.identity !== 'said' && by !== undefined && by !== name)
    return `it says it is by ${by}, but its ${NAMES[policy.identity]} is ${name}; leave "by" out`;
  if (policy.approvers !== undefined && !policy.approvers.some((pattern) => matches(pattern, name)))
    return `${name} is not among ${at}.approvers (${policy.approvers.join(', ')})`;
  if (kind !== 'approve') return undefined;
  if (!policy.starterMayApprove) {
    const starter = given.starter[policy.identity];
    if (starter === undefined)
      return `${at}.starterMayApprove is false, and the start of this roll-out has no ${NAMES[policy.identity]}: nobody can be told from who started it`;
    if (isSame(starter, name))
      return `${name} started this roll-out, and ${at}.starterMayApprove is false: somebody else has to approve`;
  }
  return given.given.some((each) => isSame(each, name))
    ? `${name} has approved already; another person has to`
    : undefined;
}

/** Where anybody may decide, a name is only asked for by what needs one of each. */
function needsName(
  { policy, at, given }: ApprovalCase,
  kind: DecisionKind,
  problem: string | undefined,
): string | undefined {
  const { identity, approvers, count } = policy;
  if (identity === 'said') {
    const needed = approvers !== undefined || (kind === 'approve' && (count > 1 || given.length > 0));
    return needed ? `${at}: say who you are: {…,"by":"…"}` : undefined;
  }
  const because = problem === undefined ? '' : ` (${problem})`;
  return `${at}.identity asks for who decides as ${identity}, and this has no ${NAMES[identity]}${because}: ${REMEDIES[identity]}`;
}

const NAMES: Readonly<Record<IdentityGrade, string>> = {
  said: '"by"',
  claimed: 'identity',
  proved: 'principal',
};

const REMEDIES: Readonly<Record<IdentityGrade, string>> = {
  said: 'send it with "by"',
  claimed: 'send it by a client that sets one, such as temporal --identity or a Web UI with a login',
  proved:
    'send a signal (an update carries none), logged in to a control plane of 1.31 or later with an authorizer and frontend.enablePrincipalPropagation',
};

/** Names that differ in the case of letters alone are those of one person. */
function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** A pattern has `*` for anything; all else counts as it stands, letters in either case. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const text = name.toLowerCase();
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
