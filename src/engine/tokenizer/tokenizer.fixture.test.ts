import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "./tokenizer.ts";

const folder = `${process.env["FIXTURES_DIR"] ?? "../shared/fixtures"}/models/stories260K/hf`;
const isThere = existsSync(folder);
if (!isThere) console.warn(`skipped: there is no fixture at ${folder}`);

const parse = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));

function open() {
  return createTokenizer({
    tokenizerJson: parse("tokenizer.json"),
    tokenizerConfig: parse("tokenizer_config.json"),
    generationConfig: parse("generation_config.json"),
  });
}

describe.skipIf(!isThere)("the tokenizer of stories260K", () => {
  it("agrees with the reference encoder and reads every text back", () => {
    const tokenizer = open();
    const cases = parse("tokenizer_cases.json") as { text: string; ids: number[] }[];
    expect(cases).toHaveLength(9);
    for (const { text, ids } of cases) {
      expect(tokenizer.encode(text, { addSpecialTokens: true })).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
      const parts = tokenizer.decodeTokens(ids);
      expect(parts).toHaveLength(ids.length);
      expect(parts.join("")).toBe(text);
    }
  });

  it("keeps the space between a prompt and its answer", () => {
    const tokenizer = open();
    const whole = tokenizer.encode("Once upon a time there was", { addSpecialTokens: true });
    const [after, ids] = [whole.slice(0, 5), whole.slice(5)];
    expect(tokenizer.decode(ids, { after })).toBe(" there was");
    expect(tokenizer.decodeTokens(ids, { after }).join("")).toBe(" there was");
    expect(tokenizer.decode(ids)).toBe("there was");
  });

  it("knows that stories end with BOS", () => {
    expect(open()).toMatchObject({
      vocabularySize: 512,
      bosTokenId: 1,
      stopTokenIds: [1, 2],
      hasChatTemplate: false,
    });
  });
});
