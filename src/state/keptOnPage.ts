/** Small things that outlive a visit in the browser's local storage; without it nothing is kept. */

/** What was kept under a key, when it is what is expected; null otherwise. */
export function readKept<Value>(key: string, isExpected: (value: unknown) => value is Value): Value | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return isExpected(value) ? value : null;
  } catch {
    // Storage may be off, and what lies there may be anything.
    return null;
  }
}

/** Keeps a value under a key. */
export function writeKept(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or switched off: the value then lasts as long as the page.
  }
}
