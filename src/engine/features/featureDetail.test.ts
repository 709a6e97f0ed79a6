import { describe, expect, it } from "vitest";
import { corpusOf, decoderOf, encodedOf, pairOf } from "./corpus.testing.ts";
import { featureDetail } from "./featureDetail.ts";

const words = ["", "<s>"].concat(Array.from("abcdefghijklmnopqrstuvwxyz"));
const decoder = decoderOf(words);
/** Two pairs: positions are rows 0, 1, 2 and 0 of the first, rows 4 and 4 of the second. */
const pairs = [pairOf([2], [3, 4, 5], [6]), pairOf([7], [8], [9])];
const before = encodedOf([[1], [6], [0], [9], [9], [3], [9], [9]]);
const after = encodedOf([[2], [0], [12], [9], [9], [3], [9], [9]]);
const options = { name: "b", logits: null, decoder };

describe("featureDetail", () => {
  it("has histograms over one range, densities and pooled activations", () => {
    const detail = featureDetail(corpusOf(pairs, before, after), 0, options);
    expect(detail).toMatchObject({ feature: 0, name: "b", positions: 6, positive: [], negative: [] });
    // Bins of 12 / 20 = 0.6: before 1, 6, 1, 3, 3, after 2, 12, 2, 3, 3.
    expect([detail.edges[0], detail.edges[20]]).toEqual([0, 12]);
    const filled = (counts: Float32Array) =>
      [...counts].flatMap((count, bin) => (count > 0 ? [[bin, count]] : []));
    expect(filled(detail.before.counts)).toEqual([[1, 2], [5, 2], [10, 1]]); // prettier-ignore
    expect(filled(detail.after!.counts)).toEqual([[3, 2], [5, 2], [19, 1]]); // prettier-ignore
    expect([detail.before.density, detail.after!.density]).toEqual([5 / 6, 5 / 6]);
    expect([...detail.before.chosen, ...detail.before.rejected]).toEqual([Math.fround(7 / 3), 3, 1, 3]);
    expect([...detail.after!.chosen, ...detail.after!.rejected]).toEqual([Math.fround(14 / 3), 3, 2, 3]);
  });

  it("shows examples from the strongest interval down, with both models' activations", () => {
    const { intervals } = featureDetail(corpusOf(pairs, before, after), 0, options);
    expect(intervals.map(({ from, to }) => [from, to])).toEqual([[5, 6], [4, 5], [3, 4], [2, 3], [1, 2], [0, 1]]); // prettier-ignore
    expect(intervals.map(({ share }) => share)).toEqual([1 / 5, 0, 0, 2 / 5, 0, 2 / 5]);
    expect(intervals[0]!.examples).toEqual([
      {
        tokens: ["a", "b", "c", "d"],
        activations: Float32Array.of(1, 6, 0, 9),
        after: Float32Array.of(2, 0, 12, 9),
        peak: 1,
        side: "chosen",
      },
    ]);
    // Both sides of a pair begin alike, but go on differently.
    expect(intervals[5]!.examples.map(({ tokens, peak, side }) => [tokens.join(""), peak, side])).toEqual([
      ["abcd", 0, "chosen"],
      ["ae", 0, "rejected"],
    ]);
    expect(featureDetail(corpusOf(pairs, before), 0, options).intervals[0]!.examples[0]!.after).toBeNull();
  });

  it("shows ten tokens on either side, and equal stretches once", () => {
    const letters = Array.from({ length: 24 }, (_, i) => 2 + i);
    const many = Array.from({ length: 9 }, () => pairOf(letters.slice(0, 1), letters.slice(1), [25]));
    const rows = many.flatMap(() => Array.from({ length: 25 }, (_, row) => [row === 12 ? 5 : 0]));
    const { intervals } = featureDetail(corpusOf(many, encodedOf(rows)), 0, options);
    expect(intervals[0]!.examples.map(({ tokens, peak }) => [tokens.join(""), peak])).toEqual([
      ["cdefghijklmnopqrstuvw", 10],
    ]);
    expect(intervals[0]!.share).toBe(1);
  });

  it("takes the strongest five of the first interval, and five spread over another", () => {
    const many = Array.from({ length: 30 }, (_, i) => pairOf([2 + (i % 24)], [2 + Math.floor(i / 24)], [1]));
    const rows = many.flatMap((_, i) => [[i < 10 ? 100 - i : 40 - i], [0], [0]]);
    const { intervals } = featureDetail(corpusOf(many, encodedOf(rows)), 0, options);
    const peaks = intervals.map(({ examples }) => examples.map(({ activations, peak }) => activations[peak]));
    // Either side of a pair has an example of its own, as the answers differ.
    expect(peaks[0]).toEqual([100, 100, 99, 99, 98]);
    // From 16.7 to 33.3 excluded lie 30 down to 17, each twice: places 0, 5, 11, 16 and 22 of 28.
    expect(peaks[4]).toEqual([30, 28, 25, 22, 19]);
  });

  it("falls back to the tuned model's examples of a feature that was silent", () => {
    const silent = encodedOf(Array.from({ length: 8 }, () => [0]));
    const detail = featureDetail(corpusOf(pairs, silent, after), 0, options);
    expect(detail.intervals[0]).toMatchObject({ from: 10, to: 12, share: 1 / 5 });
    expect(detail.before.density).toBe(0);
    const never = featureDetail(corpusOf(pairs, silent), 0, options);
    expect([never.intervals, never.edges[20]]).toEqual([[], 1]);
    expect(() => featureDetail(corpusOf(pairs, silent), 1, options)).toThrow("Feature 1 is unknown");
  });

  it("lists the tokens of the largest and the smallest logits", () => {
    const logits = Float32Array.from(words, (_, id) => id - 12);
    const { positive, negative } = featureDetail(corpusOf(pairs, before), 0, { ...options, logits });
    expect(positive.map(({ token }) => token).join("")).toBe("zyxwvutsrq");
    expect(negative.map(({ token }) => token).join(" ")).toBe("<0> <s> a b c d e f g h");
    expect([positive[0]!.logit, negative[0]!.logit]).toEqual([15, -12]);
  });
});
