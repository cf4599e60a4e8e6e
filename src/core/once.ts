/** What is loaded when it is first asked for: once, also where several ask at the same moment. */
export function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => (loaded ??= load());
}
