/** Characters of a secret that must not be told one after another. */
const LONGEST_PIECE = 5;
const HIDDEN = "•••";

/**
 * A text in which nothing longer than five characters in a row is a piece of the secret, whatever its case: a server that
 * echoes what it was sent tells nobody else of it.
 */
export function withoutSecret(text: string, secret: string): string {
  if (secret === "") return text;
  const [within, hidden] = [text.toLowerCase(), secret.toLowerCase()];
  // A shorter secret is a piece as a whole.
  const least = Math.min(secret.length, LONGEST_PIECE + 1);
  let told = "";
  for (let at = 0; at < text.length;) {
    let length = 0;
    if (hidden.includes(within.slice(at, at + least)) && at + least <= text.length) {
      length = least;
      while (at + length < text.length && hidden.includes(within.slice(at, at + length + 1))) length += 1;
    }
    told += length === 0 ? text.charAt(at) : HIDDEN;
    at += Math.max(1, length);
  }
  return told;
}
