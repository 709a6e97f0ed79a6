/** How alike two answers are, word by word. */
import { textOf, type Text } from "../row.ts";

/** Runs of letters and digits; a character of a script that writes no spaces is a word of its own. */
const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[\p{L}\p{N}\p{M}]+/gu;

/** Words of a text in lower case, without punctuation. */
export function wordsOf(text: Text): string[] {
  return textOf(text).toLowerCase().match(WORDS) ?? [];
}

/**
 * Whether two lists of words are at most `limit` insertions, deletions and replacements apart (Levenshtein). Only cells
 * within `limit` of the diagonal are computed, so it takes words · limit steps, and fewer where the bags of words differ
 * by more.
 */
export function areWithin(first: readonly string[], second: readonly string[], limit: number): boolean {
  const [short, long] = first.length <= second.length ? [first, second] : [second, first];
  if (long.length - short.length > limit) return false;
  if (long.length - commonWords(short, long) > limit) return false;
  return limit === 0 ? short.every((word, index) => word === long[index]) : banded(short, long, limit);
}

/** Words that two lists share, each as often as in both: no alignment keeps more of them. */
function commonWords(first: readonly string[], second: readonly string[]): number {
  const left = new Map<string, number>();
  for (const word of first) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of second) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  return common;
}

function banded(short: readonly string[], long: readonly string[], limit: number): boolean {
  const far = limit + 1;
  let above = Int32Array.from({ length: long.length + 1 }, (_, column) => Math.min(column, far));
  let here = new Int32Array(long.length + 1).fill(far);
  for (let row = 1; row <= short.length; row++) {
    const [from, to] = [Math.max(0, row - limit), Math.min(long.length, row + limit)];
    // What an earlier row left beside the band; behind it nothing was written yet.
    if (from > 0) here[from - 1] = far;
    let least = far;
    for (let column = from; column <= to; column++) {
      const step =
        column === 0
          ? row
          : Math.min(
              (above[column - 1] ?? far) + Number(short[row - 1] !== long[column - 1]),
              (above[column] ?? far) + 1,
              (here[column - 1] ?? far) + 1,
            );
      here[column] = Math.min(step, far);
      least = Math.min(least, step);
    }
    if (least > limit) return false;
    [above, here] = [here, above];
  }
  return (above[long.length] ?? far) <= limit;
}
