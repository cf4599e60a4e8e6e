/** What a line of a terminal is about, as far as it has a colour. */
export type Tone = 'gate' | 'incident' | 'good' | 'bad';

/** Colours a line, or leaves it as it is; told by whoever knows the terminal. Never changes how wide it is. */
export type Paint = (tone: Tone, line: string) => string;

/** For files, pipes, and whoever wants no colours. */
export const unpainted: Paint = (_, line) => line;
