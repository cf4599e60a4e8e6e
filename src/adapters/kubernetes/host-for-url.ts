/** An address as it stands before a port: IPv6 in square brackets. */
export function hostForUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
