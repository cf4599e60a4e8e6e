import { styleText } from 'node:util';
import type { Paint, Tone } from '../report/paint.js';

const STYLES: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  gate: ['bold', 'yellow'],
  incident: ['bold', 'red'],
  good: 'green',
  bad: 'red',
};

/** Colours where standard output is a terminal that has some, and nobody says NO_COLOR. */
export const paintStdout: Paint = (tone, line) => styleText(STYLES[tone], line, { stream: process.stdout });
