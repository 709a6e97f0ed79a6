import fc from "fast-check";
import { expect, it } from "vitest";
import { editDistance, wordDiff, wordsOf } from "./wordDiff.ts";

const text = fc
  .array(fc.constantFrom("a", "b", "c", " ", "\n", ", "), { maxLength: 14 })
  .map((parts) => parts.join(""));
const joined = (pieces: readonly { readonly text: string }[]) => pieces.map((piece) => piece.text).join("");
const shared = (pieces: readonly { readonly text: string; readonly isShared: boolean }[]) =>
  joined(pieces.filter(({ isShared }) => isShared));

it("marks the words that only one answer has", () => {
  const { left, right } = wordDiff(" Tom helped her up.", " Tom laughed at her.");
  expect(left).toEqual([
    { text: " Tom", isShared: true },
    { text: " helped her up.", isShared: false },
  ]);
  // "her" and "her." are other words.
  expect(right.map(({ isShared }) => isShared)).toEqual([true, false]);
  expect(wordDiff("a b c d", "a x c d").left).toEqual([
    { text: "a", isShared: true },
    { text: " b", isShared: false },
    { text: " c d", isShared: true },
  ]);
});

/** Longest common subsequence by trying everything: exponential, and plainly right. */
function longest(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  if (a[0] === b[0]) return 1 + longest(a.slice(1), b.slice(1));
  return Math.max(longest(a.slice(1), b), longest(a, b.slice(1)));
}

it("loses nothing of either text, and shares as many words as can be shared", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const { left, right } = wordDiff(a, b);
      expect([joined(left), joined(right)]).toEqual([a, b]);
      expect(shared(left)).toBe(shared(right));
      expect(wordsOf(shared(left)).length).toBe(longest(wordsOf(a), wordsOf(b)));
    }),
  );
});

it("counts the words to change, and never more than there are", () => {
  // kitten → sitting with words for letters: two replaced, one added.
  expect(editDistance("k i t t e n", "s i t t i n g")).toBe(3);
  expect(editDistance("one  two", "one two")).toBe(0);
  expect(editDistance("", "one two")).toBe(2);
  fc.assert(
    fc.property(text, text, (a, b) => {
      const distance = editDistance(a, b);
      expect(editDistance(b, a)).toBe(distance);
      expect(distance).toBeLessThanOrEqual(Math.max(wordsOf(a).length, wordsOf(b).length));
    }),
  );
});

it("compares very long texts in a moment", () => {
  const long = Array.from({ length: 20_000 }, (_, place) => `w${place}`).join(" ");
  const { left } = wordDiff(`${long} x`, `y ${long} z`);
  expect(joined(left)).toBe(`${long} x`);
});
