import { findSystemProgram, type SystemProgram } from './system-program.js';

const PACKAGES = {
  zsh: ['zsh', 'zsh-common'],
  fish: ['fish', 'fish-common', ['libpcre2-32-0', 'fish-common']],
} as const;

/** A shell, as {@link findSystemProgram} finds it. @throws PreconditionError when there is none to be had */
export function findShell(name: keyof typeof PACKAGES): Promise<SystemProgram> {
  return findSystemProgram({
    name,
    installed: name,
    packages: PACKAGES[name],
    places: [`usr/bin/${name}`, `bin/${name}`], // Ubuntu and Debian have zsh in different ones
    asked: ['--version'],
    install: name,
  });
}
