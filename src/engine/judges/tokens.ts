const TOKEN = /[\p{L}\p{N}_]+(?:['’][\p{L}\p{N}_]+)*|[^\s\p{L}\p{N}_]/gu;
const WORD = /^[\p{L}\p{N}_]/u;

/** The lower-case words of a text in any script, and its other characters one by one, in order; white space is left out. */
export function splitTokens(text: string): string[] {
  return text.toLowerCase().replaceAll("’", "'").match(TOKEN) ?? [];
}

/** How many words a text has. */
export function countWords(text: string): number {
  return splitTokens(text).filter((token) => WORD.test(token)).length;
}
