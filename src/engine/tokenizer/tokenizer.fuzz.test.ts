import { expect, it } from "vitest";
import { mutants } from "../testing/mutations.ts";
import { createTokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizerError.ts";

const MUTANTS = 10_000;

const tokens = ["<s>", "</s>", "a", "b", "c", "d", "e", "f", "g", "h", "\u0120", "ab", "cab"];
const byteLevel = {
  version: "1.0",
  added_tokens: ["<s>", "</s>"].map((content, id) => ({ id, content, special: true, normalized: false })),
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: { "<s>": { id: "<s>", ids: [0], tokens: ["<s>"] } },
  },
  decoder: { type: "ByteLevel" },
  model: {
    type: "BPE",
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: [
      ["a", "b"],
      ["c", "ab"],
    ],
  },
};

const good = [new TextEncoder().encode(JSON.stringify(byteLevel))];

it(
  `makes a tokenizer that works or an error of its own of ${MUTANTS} damaged files`,
  { timeout: 120_000 },
  () => {
    const outcomes = { made: 0, refused: 0 };
    for (const bytes of mutants(good, { count: MUTANTS, seed: 2 })) {
      let json: unknown;
      try {
        json = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        // Loading reads the file as JSON first, and refuses it there.
        outcomes.refused += 1;
        continue;
      }
      try {
        const tokenizer = createTokenizer({ tokenizerJson: json, tokenizerConfig: { eos_token: "</s>" } });
        const ids = tokenizer.encode("abc cab", { addSpecialTokens: true });
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize)).toBe(
          true,
        );
        expect(typeof tokenizer.decode(ids)).toBe("string");
        outcomes.made += 1;
      } catch (error) {
        if (!(error instanceof TokenizerError)) throw error;
        outcomes.refused += 1;
      }
    }
    expect(outcomes.made).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(1000);
  },
);
