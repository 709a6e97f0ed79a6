import { describe, expect, it } from "vitest";
import { createTokenizer, type TokenizerFiles } from "../tokenizer.ts";
import { TokenizerError } from "../tokenizerError.ts";
import { tokenizerFromGguf } from "./fromGguf.ts";
import { mergesOf } from "./scoredMerges.ts";
import { tokenizerToGguf } from "./toGguf.ts";
import { tokenKinds } from "./vocabulary.ts";

const { normal, unknown, control, userDefined, byte } = tokenKinds;

/** What a reader would find of entries that were written. */
function asRead(entries: ReturnType<typeof tokenizerToGguf>): Map<string, unknown> {
  return new Map(
    [...entries].map(([key, { type, value }]) => [
      key,
      type === "float32s" ? Float32Array.from(value) : type === "int32s" ? Int32Array.from(value) : value,
    ]),
  );
}

/** A byte-level vocabulary with digits, letters, and a user's own token. */
function byteLevel(changes: Record<string, unknown> = {}): Map<string, unknown> {
  const tokens = ["<|end|>", "<think>", ..."0123456789ab\u0120'".split(""), "12", "ab", "\u0120a", "\u01201"];
  return new Map<string, unknown>(
    Object.entries({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "smollm",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": Int32Array.from(tokens, (_, id) => [control, userDefined][id] ?? normal),
      "tokenizer.ggml.merges": ["1 2", "a b", "\u0120 a", "\u0120 1"],
      "tokenizer.ggml.bos_token_id": 0,
      "tokenizer.ggml.eos_token_id": 0,
      ...changes,
    }),
  );
}

function texts(metadata: Map<string, unknown>, text: string): string[] {
  const tokenizer = createTokenizer(tokenizerFromGguf(metadata));
  const tokens = metadata.get("tokenizer.ggml.tokens") as string[];
  return tokenizer.encode(text, { addSpecialTokens: true }).map((id) => tokens[id] ?? "");
}

describe("byte-level tokenizers from GGUF", () => {
  it("cut as `pre` says", () => {
    expect(texts(byteLevel(), "12 1a")).toEqual(["1", "2", "\u0120", "1", "a"]);
    expect(texts(byteLevel({ "tokenizer.ggml.pre": "gpt-2" }), "12 1ab")).toEqual(["12", "\u01201", "ab"]);
    expect(texts(byteLevel({ "tokenizer.ggml.pre": "qwen2" }), "12 ab")).toEqual(["1", "2", "\u0120", "ab"]);
    // Numbers of up to three digits are one word there, and BOS comes first unless the file says otherwise.
    expect(texts(byteLevel({ "tokenizer.ggml.pre": "llama-bpe" }), "1212")).toEqual([
      "<|end|>",
      "12",
      "1",
      "2",
    ]);
  });

  it("keep a user's tokens and special ones whole, and show the former", () => {
    expect(texts(byteLevel(), "a<think>b<|end|>")).toEqual(["a", "<think>", "b", "<|end|>"]);
    const tokenizer = createTokenizer(tokenizerFromGguf(byteLevel()));
    expect(tokenizer.decode([12, 1, 0])).toBe("a<think>");
  });

  it("stop at every token that ends a text or a turn", () => {
    const tokens = ["<eos>", "<end_of_turn>", "a", "<|im_end|>", "<stop>"];
    const metadata = byteLevel({
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": Int32Array.of(control, control, normal, normal, normal),
      "tokenizer.ggml.merges": [],
      "tokenizer.ggml.eot_token_id": 4,
    });
    // <|im_end|> is a word like any other in this file.
    expect(tokenizerFromGguf(metadata).generationConfig).toEqual({ eos_token_id: [0, 4, 1] });
  });

  it("give way to a tokenizer.json in the file", () => {
    const own = { version: "own", model: { type: "BPE", vocab: {}, merges: [] } };
    const files = tokenizerFromGguf(byteLevel({ "tokenizer.huggingface.json": JSON.stringify(own) }));
    expect(files.tokenizerJson).toEqual(own);
    expect(() => tokenizerFromGguf(byteLevel({ "tokenizer.huggingface.json": "[" }))).toThrow(
      "not a JSON object",
    );
  });

  it("are refused by field", () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ "tokenizer.ggml.model": "bert" }, 'tokenizer.ggml.model is "bert", expected "gpt2" or "llama"'],
      [{ "tokenizer.ggml.pre": "tekken" }, 'tokenizer.ggml.pre is "tekken"'],
      [{ "tokenizer.ggml.tokens": 5n }, "tokenizer.ggml.tokens is 5, expected a list of texts"],
      [{ "tokenizer.ggml.tokens": ["a", "a"] }, 'tokenizer.ggml.tokens is "a", expected each token once'],
      [
        { "tokenizer.ggml.token_type": Int32Array.of(1) },
        "tokenizer.ggml.token_type is 1, expected a list of 20",
      ],
      [{ "tokenizer.ggml.eos_token_id": 20 }, "tokenizer.ggml.eos_token_id is 20, expected an id below 20"],
      [{ "tokenizer.ggml.merges": ["ab"] }, 'tokenizer.ggml.merges is "ab"'],
    ];
    for (const [change, message] of cases) {
      expect(() => tokenizerFromGguf(byteLevel(change)), message).toThrow(TokenizerError);
      expect(() => tokenizerFromGguf(byteLevel(change))).toThrow(message);
    }
  });
});

/** A SentencePiece vocabulary: bytes of "é", letters, and pieces with scores. */
function scored(changes: Record<string, unknown> = {}): Map<string, unknown> {
  const tokens = [
    "<unk>",
    "<s>",
    "</s>",
    "<0xC3>",
    "<0xA9>",
    "\u2581a",
    "ab",
    "\u2581ab",
    "  ",
    "\u2581",
    "a",
    "b",
  ];
  const kinds = [unknown, control, control, byte, byte, normal, normal, normal, userDefined];
  return new Map<string, unknown>(
    Object.entries({
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.scores": Float32Array.of(0, 0, 0, 0, 0, -2, -1, -3, -1000, -9, -9, -9),
      "tokenizer.ggml.token_type": Int32Array.from(tokens, (_, id) => kinds[id] ?? normal),
      "tokenizer.ggml.bos_token_id": 1,
      "tokenizer.ggml.eos_token_id": 2,
      ...changes,
    }),
  );
}

describe("SentencePiece tokenizers from GGUF", () => {
  it("merge the best pair first, and write what they lack as bytes", () => {
    // "ab" has the best score, so "▁ab" is "▁" and "ab" joined, and "▁a" is taken only without a "b".
    expect(texts(scored(), "ab a")).toEqual(["<s>", "\u2581ab", "\u2581a"]);
    expect(texts(scored(), "aé")).toEqual(["<s>", "\u2581a", "<0xC3>", "<0xA9>"]);
    const tokenizer = createTokenizer(tokenizerFromGguf(scored()));
    expect(tokenizer.decode(tokenizer.encode("ab é a", { addSpecialTokens: true }))).toBe("ab é a");
  });

  it("put a space first unless the file says otherwise, and know runs of spaces", () => {
    const without = scored({
      "tokenizer.ggml.add_space_prefix": false,
      "tokenizer.ggml.add_bos_token": false,
    });
    expect(texts(without, "ab")).toEqual(["ab"]);
    expect(texts(without, "a  b")).toEqual(["a", "  ", "b"]);
  });

  it("order pairs by score and then by the ids of their parts", () => {
    const tokens = ["a", "b", "ab", "aba", "ba"];
    const merges = mergesOf({ tokens, kinds: tokens.map(() => normal) }, [0, 0, -3, -1, -2]);
    expect(merges).toEqual([
      ["a", "ba"],
      ["ab", "a"],
      ["b", "a"],
      ["a", "b"],
    ]);
  });
});

describe("tokenizerToGguf", () => {
  const back = (files: TokenizerFiles, size: number) =>
    tokenizerFromGguf(asRead(tokenizerToGguf(files, size)));

  it.each([
    ["byte-level", byteLevel(), 20],
    ["SentencePiece", scored(), 12],
  ])("writes %s tokenizers so that they are read again", (_, metadata, size) => {
    const files = tokenizerFromGguf(metadata);
    const again = back(files, size + 2);
    const [first, second] = [createTokenizer(files), createTokenizer(again)];
    for (const text of ["ab a  b", "12 1ab<think>", "aé b"]) {
      const ids = first.encode(text, { addSpecialTokens: true });
      expect(second.encode(text, { addSpecialTokens: true }), text).toEqual(ids);
      expect(second.decode(ids)).toBe(first.decode(ids));
    }
    // Two more tokens than the tokenizer has are unused ones.
    expect(second.vocabularySize).toBe(size + 2);
    expect(again.tokenizerConfig).toEqual(files.tokenizerConfig);
  });

  it("refuses what GGUF has no word for", () => {
    const files = tokenizerFromGguf(byteLevel());
    const json = files.tokenizerJson as Record<string, unknown>;
    const changed = (change: object) => () =>
      tokenizerToGguf({ ...files, tokenizerJson: { ...json, ...change } }, 20);
    expect(changed({ model: { type: "Unigram" } })).toThrow("its model is Unigram, expected BPE");
    expect(changed({ pre_tokenizer: { type: "Whitespace" } })).toThrow("its pre-tokenizer (Whitespace)");
    expect(changed({ normalizer: { type: "Lowercase" } })).toThrow(
      "its normalizer is Lowercase, expected none",
    );
    expect(() => tokenizerToGguf(files, 19)).toThrow("has the id 19, the model has 19 tokens");
  });
});
