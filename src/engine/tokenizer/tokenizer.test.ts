import { describe, expect, it } from "vitest";
import { createTokenizer } from "./tokenizer.ts";
import { TokenizerError } from "./tokenizerError.ts";

const SPECIAL = ["<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>"];
const BYTE_TOKENS = ["\u00e2", "\u0122", "\u0136"];
const TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** A byte-level tokenizer of the letters a–z, the space (Ġ), three bytes that make "—", and "hi". */
function tokenizerJson() {
  const letters = [..."abcdefghijklmnopqrstuvwxyz".split(""), "\u0120", ...BYTE_TOKENS, "hi"];
  const vocab = Object.fromEntries([...SPECIAL, ...letters].map((token, id) => [token, id]));
  return {
    version: "1.0",
    added_tokens: SPECIAL.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [0], tokens: ["<s>"] } },
    },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: [["h", "i"]] },
  };
}

const config = { bos_token: { content: "<s>" }, eos_token: "</s>", chat_template: TEMPLATE };

function open(changes: object = {}, generationConfig?: unknown) {
  return createTokenizer({
    tokenizerJson: tokenizerJson(),
    tokenizerConfig: { ...config, ...changes },
    ...(generationConfig === undefined ? {} : { generationConfig }),
  });
}

describe("createTokenizer", () => {
  it("encodes with BOS exactly once, or with nothing added", () => {
    const hi = open().encode("hi", { addSpecialTokens: false });
    expect(hi).toHaveLength(1);
    for (const addBos of [true, undefined])
      expect(open({ add_bos_token: addBos }).encode("hi", { addSpecialTokens: true })).toEqual([0, ...hi]);
    expect(open({ add_bos_token: false }).encode("hi", { addSpecialTokens: true })).toEqual(hi);
    expect(open().encode("<s>hi", { addSpecialTokens: true })).toEqual([0, ...hi]);
  });

  it("knows its size and what ends a text", () => {
    expect(open()).toMatchObject({ vocabularySize: 36, bosTokenId: 0, stopTokenIds: [1] });
    expect(open({}, { eos_token_id: [4, 1] }).stopTokenIds).toEqual([4, 1]);
    expect(open({}, { eos_token_id: 4 }).stopTokenIds).toEqual([4]);
    expect(() => open({}, { eos_token_id: 36 })).toThrow("expected ids below 36");
    expect(open({ eos_token: null }).stopTokenIds).toEqual([]);
  });

  it("decodes without special tokens and shows every token's part", () => {
    const tokenizer = open();
    const ids = [...tokenizer.encode("hi \u2014 you", { addSpecialTokens: true }), 1];
    expect(tokenizer.decode(ids)).toBe("hi \u2014 you");
    expect(tokenizer.decodeTokens(ids)).toEqual(["", "hi", " ", "", "", "\u2014", " ", "y", "o", "u", ""]);
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.decode([0])).toBe("");
    const [, , , firstByte = 0] = ids;
    expect(tokenizer.decodeTokens([firstByte])).toEqual(["\uFFFD"]);
  });

  it("renders a chat", () => {
    const tokenizer = open();
    const messages = [{ role: "user", content: "hi" }];
    expect(tokenizer.hasChatTemplate).toBe(true);
    expect(tokenizer.renderChat(messages, { addGenerationPrompt: true })).toBe(
      "<s><|user|>hi<|end|><|assistant|>",
    );
    expect(tokenizer.renderChat(messages, { addGenerationPrompt: false })).toBe("<s><|user|>hi<|end|>");
    const ids = tokenizer.encode("<s><|user|>hi<|end|>", { addSpecialTokens: false });
    expect(ids.filter((id) => id === 0)).toHaveLength(1);
  });

  it("finds the template in a list or in a file of its own", () => {
    const named = [
      { name: "tool", template: "t" },
      { name: "default", template: "d" },
    ];
    const render = { addGenerationPrompt: false };
    expect(open({ chat_template: named }).renderChat([], render)).toBe("d");
    const files = { tokenizerJson: tokenizerJson(), tokenizerConfig: config, chatTemplate: "file" };
    expect(createTokenizer(files).renderChat([], render)).toBe("file");
    const without = open({ chat_template: undefined });
    expect(without.hasChatTemplate).toBe(false);
    expect(() => without.renderChat([], render)).toThrow("no chat template");
  });

  it("refuses files that do not fit", () => {
    expect(() => createTokenizer({ tokenizerJson: [], tokenizerConfig: {} })).toThrow(TokenizerError);
    expect(() => createTokenizer({ tokenizerJson: {}, tokenizerConfig: {} })).toThrow(
      "tokenizer.json cannot be used",
    );
    expect(() => open({ chat_template: "{% if %}" })).toThrow("The chat template cannot be used");
    expect(() => open({ chat_template: [{ name: "tool", template: "t" }] })).toThrow('named "default"');
    const strict = open({ chat_template: "{{ raise_exception('roles must alternate') }}" });
    expect(() => strict.renderChat([], { addGenerationPrompt: false })).toThrow("roles must alternate");
  });
});
