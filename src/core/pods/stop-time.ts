/** What runs in a container before its server is told to stop. */
export interface PreStopHook {
  readonly exec?: { readonly command?: readonly string[] | undefined } | undefined;
  readonly sleep?: { readonly seconds: number } | undefined;
}

/**
 * Time that the server of a pod gets to stop, in seconds: its grace period begins with the hook, not after it. A hook of which nobody
 * knows how long it takes counts as none.
 */
export function stopSecondsOf(graceSeconds: number, hook: PreStopHook | undefined): number {
  return Math.max(0, graceSeconds - (hookSeconds(hook) ?? 0));
}

/** How long a hook takes, in seconds: one that sleeps says so; undefined where that is not known. */
export function hookSeconds(hook: PreStopHook | undefined): number | undefined {
  if (hook === undefined) return 0;
  if (hook.sleep !== undefined) return hook.sleep.seconds;
  const [, seconds] = /(?:^|[\s/])sleep (\d+)s?$/.exec(hook.exec?.command?.join(' ').trim() ?? '') ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
