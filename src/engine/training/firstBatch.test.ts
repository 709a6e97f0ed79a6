import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { batchOrder, flatBatch, pairBatch } from "../data/batch.ts";
import type { PairRow } from "../data/row.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { tokenizePairs } from "../data/tokenizePairs.ts";
import { createTokenizer } from "../tokenizer/tokenizer.ts";
import { tinyPairs } from "../testing/tinyModel.ts";
import { defaultConfig } from "./config.ts";
import { firstBatchAsSeen, sequencesOf } from "./firstBatch.ts";

const parse = (name: string): unknown => JSON.parse(readFileSync(`public/models/story/${name}`, "utf8"));
const tokenizer = createTokenizer({
  tokenizerJson: parse("tokenizer.json"),
  tokenizerConfig: parse("tokenizer_config.json"),
  generationConfig: parse("generation_config.json"),
});

const config = { ...defaultConfig, batchPairs: 3, accumulationSteps: 2, seed: 5, isShuffled: true };

describe("firstBatchAsSeen", () => {
  it.each([true, false])(
    "has the pairs of the first step in their order (shared prompts: %s)",
    (sharesPrompts) => {
      const pairs = tinyPairs(20);
      const order = batchOrder({ count: 20, batchPairs: 6, seed: 5, shuffle: true })(0);
      const seen = firstBatchAsSeen({ ...config, sharesPrompts }, pairs, tokenizer);
      expect(seen.map(({ row }) => row)).toEqual(order);
      for (const { row, promptTokens, chosen, rejected } of seen) {
        const { prompt, ...answers } = pairs[row]!;
        expect(promptTokens).toBe(prompt.length);
        for (const [side, answer] of [
          ["chosen", chosen],
          ["rejected", rejected],
        ] as const) {
          expect([...answer.ids]).toEqual([...prompt, ...answers[side]]);
          expect(answer.isScored).toEqual(answer.tokens.map((_, index) => index >= prompt.length));
        }
      }
    },
  );

  it("shows special tokens by their names, what was cut, and rows of two prompts or one answer", () => {
    const source = { file: "a", row: 1 };
    const rows: PairRow[] = [
      { prompt: "Once upon a time there was a dog.", chosen: " It ran.", rejected: " It sat.", source },
      { prompt: "A cat.", rejectedPrompt: "The dog.", chosen: " It ran.", rejected: " It sat.", source },
      { prompt: "", chosen: "The end.", rejected: "", isSingle: true, source },
    ];
    const [first] = tokenizePairs(rows, { tokenizer, maxTokens: 64 }).pairs;
    // One token too few for the first row.
    const maxTokens = (first?.prompt.length ?? 0) + (first?.chosen.length ?? 0) - 1;
    const { pairs } = tokenizePairs(rows, { tokenizer, maxTokens });
    const seen = firstBatchAsSeen({ ...config, isShuffled: false, accumulationSteps: 1 }, pairs, tokenizer);
    const [bos, eos] = [tokenizer.bosTokenId ?? -1, tokenizer.stopTokenIds[0] ?? -1].map((id) =>
      tokenizer.specialTokens.get(id),
    );
    expect(
      seen.map(({ chosen, rejected }) => [chosen.tokens[0], chosen.tokens.at(-1), rejected.tokens[0]]),
    ).toEqual([
      [bos, eos, bos],
      [bos, eos, bos],
      [bos, eos, undefined],
    ]);
    expect(bos).toBeTruthy();
    expect(seen.map(({ isPromptCut }) => isPromptCut)).toEqual([true, false, false]);
    expect(seen[1]?.rejected.tokens.slice(1, -1).join("")).toBe("The dog. It sat.");
    expect(seen[2]?.chosen.isScored).toEqual([false, ...seen[2]!.chosen.tokens.slice(1).map(() => true)]);
    expect(seen[2]?.rejected).toEqual({ tokens: [], ids: new Int32Array(), isScored: [] });
  });

  it("is empty without pairs", () => {
    expect(firstBatchAsSeen(config, [], tokenizer)).toEqual([]);
  });
});

describe("sequencesOf", () => {
  it("tells what is scored from the batch alone", () => {
    const flat = flatBatch([{ tokens: Int32Array.of(1, 7, 8, 9), scoredFrom: 2 }]);
    expect(sequencesOf(flat)).toEqual([{ ids: [1, 7, 8, 9], isScored: [false, false, true, true] }]);
    const pair: TokenPair = {
      prompt: Int32Array.of(1),
      chosen: Int32Array.of(4, 5),
      rejected: Int32Array.of(6),
      row: 0,
    };
    const batch = pairBatch([pair]);
    // Without the entry that scores the chosen answer's second token, that token is read and not scored.
    const without = {
      ...batch,
      scoredRows: batch.scoredRows.filter((_, entry) => entry !== 1),
      labels: batch.labels.filter((_, entry) => entry !== 1),
      entrySequence: batch.entrySequence.filter((_, entry) => entry !== 1),
    };
    expect(sequencesOf(without)).toEqual([
      { ids: [1, 4, 5], isScored: [false, true, false] },
      { ids: [1, 6], isScored: [false, true] },
    ]);
  });
});
