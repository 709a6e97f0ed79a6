import { describe, expect, it } from "vitest";
import { hasFixtures, readFixtureText } from "../testing/fixtures.ts";
import { createTokenizer } from "./tokenizer.ts";

async function parse(name: string): Promise<unknown> {
  return JSON.parse((await readFixtureText(`models/stories260K/hf/${name}`)) ?? "null");
}

async function open() {
  return createTokenizer({
    tokenizerJson: await parse("tokenizer.json"),
    tokenizerConfig: await parse("tokenizer_config.json"),
    generationConfig: await parse("generation_config.json"),
  });
}

describe.skipIf(!hasFixtures)("the tokenizer of stories260K", () => {
  it("agrees with the reference encoder and reads every text back", async () => {
    const tokenizer = await open();
    const cases = (await parse("tokenizer_cases.json")) as { text: string; ids: number[] }[];
    expect(cases).toHaveLength(9);
    for (const { text, ids } of cases) {
      expect(tokenizer.encode(text, { addSpecialTokens: true })).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
      const parts = tokenizer.decodeTokens(ids);
      expect(parts).toHaveLength(ids.length);
      expect(parts.join("")).toBe(text);
    }
  });

  it("keeps the space between a prompt and its answer", async () => {
    const tokenizer = await open();
    const whole = tokenizer.encode("Once upon a time there was", { addSpecialTokens: true });
    const [after, ids] = [whole.slice(0, 5), whole.slice(5)];
    expect(tokenizer.decode(ids, { after })).toBe(" there was");
    expect(tokenizer.decodeTokens(ids, { after }).join("")).toBe(" there was");
    expect(tokenizer.decode(ids)).toBe("there was");
  });

  it("knows that stories end with BOS", async () => {
    expect(await open()).toMatchObject({
      vocabularySize: 512,
      bosTokenId: 1,
      stopTokenIds: [1, 2],
      hasChatTemplate: false,
    });
  });
});
