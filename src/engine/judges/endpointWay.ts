/** Which way texts go to an address: over no network, or over one on which others can read them. */

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** Whether an address is on this machine, so that what is sent to it does not leave it. Throws `TypeError` for what is no address. */
export function isLoopback(url: string): boolean {
  return LOOPBACK.test(new URL(url).hostname);
}

/** Whether what is sent to an address can be read on the way. Throws `TypeError` for what is no address. */
export function isOpen(url: string): boolean {
  return new URL(url).protocol === "http:" && !isLoopback(url);
}
