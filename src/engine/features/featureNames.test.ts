import { describe, expect, it } from "vitest";
import { corpusOf, decoderOf, encodedOf, pairOf } from "./corpus.testing.ts";
import { nameFeatures } from "./featureNames.ts";

const words = ["", "", " joy", " laughed", " the", "\n", "  ", " incomprehensibilities", "\uFFFD"];

/** Names of features whose activations are given at the rows of the prompt and of the tokens of one chosen answer. */
function named(prompt: number[], chosen: number[], rows: number[][]): string[] {
  const width = rows[0]!.length;
  const rejected = Array.from({ length: width }, () => 0);
  const corpus = corpusOf([pairOf(prompt, chosen, [4])], encodedOf([...rows, rejected]));
  return nameFeatures(corpus, decoderOf(words));
}

describe("nameFeatures", () => {
  it("names what is strong wherever it occurs before what is frequent", () => {
    // Positions are the rows of 2, 3, 4, 4 and again 2, which predicts the rejected answer. Feature 0 explains of " joy"
    // (6 + 6)² / 2 = 72, of " laughed" 25, of " the" (1 + 1)² / 2 = 2, less than a quarter of 72. Feature 1 is on " the"
    // alone. The third is never on. What follows explains less of feature 0: (6 + 1)² / 2 of " laughed" and
    // (5 + 1 + 6)² / 3 of " the".
    const rows = [
      [6, 0, 0],
      [5, 0, 0],
      [1, 2, 0],
      [1, 2, 0],
      [0, 0, 0],
    ];
    expect(named([2], [3, 4, 4, 3], rows)).toEqual(["joy, laughed", "the", ""]);
  });

  it("names what follows where that tells more, with an arrow", () => {
    // On at two of the three positions of " the": (4 + 4)² / 3 at tokens, and (4 + 4)² / 2 before " joy", which follows twice.
    const rows = [[0], [4], [0], [0], [0], [4], [0]];
    expect(named([3], [4, 2, 4, 3, 4, 2], rows)).toEqual(["→ joy"]);
    // Were " the" followed by nothing else, the token that was read would tell as much, and is named.
    expect(named([3], [4, 2, 4, 2, 3], [[0], [4], [0], [4], [0], [0]])).toEqual(["the"]);
  });

  it("shows breaks, spaces, long words and ids without a text of their own", () => {
    const of = (token: number) => named([token], [4, 4], [[3], [0], [0]])[0];
    expect([5, 6, 7, 8, 1000].map(of)).toEqual(["↵", "␣␣", "incomprehensibi…", "<8>", "<1000>"]);
  });

  it("leaves the start of a text out", () => {
    expect(named([1], [4, 4], [[3], [2], [0]])).toEqual(["the"]);
  });
});
