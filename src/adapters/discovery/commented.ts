import { type Document, isMap, isScalar } from 'yaml';

/** Stands where nothing could be found out, and is found by a search. */
export const TO_FILL_IN = 'FILL-ME-IN';

/** Before a field, or an item of a list. */
export function comment(document: Document, path: readonly string[], text: string): void {
  const parent = document.getIn(path.slice(0, -1), true) ?? document.contents;
  const last = path.at(-1);
  if (isMap(parent)) {
    const key = parent.items.find(({ key: one }) => isScalar(one) && one.value === last)?.key;
    if (isScalar(key)) key.commentBefore = ` ${text}`;
    return;
  }
  const item = document.getIn(path, true);
  if (isMap(item)) item.commentBefore = ` ${text}`;
}
