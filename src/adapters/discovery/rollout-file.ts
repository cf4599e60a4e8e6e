import { Document, isMap, parseDocument, type YAMLMap } from 'yaml';

/** What a roll-out is made of: two target files, as text, and where it leads. */
export interface RolloutParts {
  readonly to: string;
  readonly staging: string;
  readonly live: string;
}

const HEAD = ` Every field and its default: docs/reference.md.
 yaml-language-server: $schema=./rollout.schema.json`;

const POLICY = ` Everything below has a default; this is the one for gates. More: approval (who may decide), observation, load, roll,
 settle, notices, watchLive.`;

/** A roll-out of two targets, with the comments of their files. */
export function rolloutFile({ to, staging, live }: RolloutParts): string {
  const document = new Document({ to, staging: {}, live: {}, policy: { gates: GATES } });
  document.commentBefore = HEAD;
  const contents = document.contents as unknown as YAMLMap;
  for (const pair of contents.items) {
    const name = String(pair.key);
    if (name === 'staging') pair.value = targetOf(staging);
    if (name === 'live') pair.value = targetOf(live);
    if (name === 'policy') (pair.key as { commentBefore?: string }).commentBefore = POLICY;
  }
  return document.toString({ lineWidth: 0 });
}

const GATES = { staging: [], live: ['promote', 'schema', 'servers'] };

/** The target as it stands in its file, without the lines at the top that are about the file. */
function targetOf(text: string): unknown {
  const { contents } = parseDocument(text);
  if (isMap(contents)) contents.commentBefore = null;
  return contents;
}
