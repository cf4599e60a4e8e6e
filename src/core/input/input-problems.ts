import type { z } from 'zod';
import type { InputProblem } from '../errors.js';

/** zod's issues as a flat list; of a union that fits nowhere, the branch that came closest speaks. */
export function problemsOf(error: z.ZodError): InputProblem[] {
  return error.issues.flatMap((issue) => flatten(issue, []));
}

function flatten(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): InputProblem[] {
  const path = [...prefix, ...issue.path];
  const at = (...more: readonly PropertyKey[]): string => [...path, ...more].map(String).join('.');
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return closestBranch(issue.errors).flatMap((inner) => flatten(inner, path));
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path: at(), message }));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: at(key), message: 'no such field; is it misspelt?' }));
  }
  return [{ path: at(), message: issue.message }];
}

type Branch = readonly z.core.$ZodIssue[];

function closestBranch(branches: readonly Branch[]): Branch {
  return [...branches].sort((a, b) => distance(a) - distance(b))[0] ?? [];
}

/**
 * How far a value is from a branch of a union. A wrong type at the top means that the branch was not meant at all; a field
 * that the branch does not know says more against it than one that is missing or has a bad value.
 */
function distance(branch: Branch): number {
  return branch.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + 3 * issue.keys.length;
    if (issue.path.length > 0) return sum + 1;
    if (issue.code !== 'invalid_union') return sum + 1_000;
    return sum + Math.min(1_000, ...issue.errors.map(distance));
  }, 0);
}
