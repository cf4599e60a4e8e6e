import type { SecretRef } from './input/input.js';

/** An argument as a POSIX shell reads it back. */
export function shellQuote(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A command as one line that a POSIX shell would run as it is. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}

/** Settings of an environment before a command; a secret is named by where it is read, never by what it is. */
export function environmentLine(environment: Readonly<Record<string, string | SecretRef>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? shellQuote(value) : secretLine(value)} `)
    .join('');
}

function secretLine(ref: SecretRef): string {
  return 'env' in ref ? `"$${ref.env}"` : `"$(cat ${shellQuote(ref.file)})"`;
}
