/** `[::1]` as it stands in an input becomes `::1`. */
export function plainHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
