import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { judges } from "../judges/index.ts";
import { createTokenizer } from "../tokenizer/tokenizer.ts";
import { embeddedDatasets, embeddedModels, embeddedSaes } from "./embedded.ts";
import { readDataSet } from "./readDataSet.ts";
import { textOf } from "./row.ts";
import { tokenizePairs } from "./tokenizePairs.ts";

const MAX_TOKENS = 128;

function openTokenizer() {
  const parse = (name: string): unknown => JSON.parse(readFileSync(`public/models/story/${name}`, "utf8"));
  return createTokenizer({
    tokenizerJson: parse("tokenizer.json"),
    tokenizerConfig: parse("tokenizer_config.json"),
    generationConfig: parse("generation_config.json"),
  });
}

describe("embedded models", () => {
  it.each(embeddedModels)("$label has all its files", ({ folder, files }) => {
    expect(files.filter((file) => !existsSync(`public/${folder}/${file}`))).toEqual([]);
  });
});

describe("embedded autoencoders", () => {
  it.each(embeddedSaes)("$label has all its files, for a model that is there", ({ model, folder, files }) => {
    expect(embeddedModels.map(({ id }) => id)).toContain(model);
    expect(files.filter((file) => !existsSync(`public/${folder}/${file}`))).toEqual([]);
  });
});

describe.each(embeddedDatasets)("the embedded set $label", ({ objectives, files }) => {
  const read = (name: string) => readDataSet([{ name, bytes: readFileSync(`public/${name}`) }]);

  it("has sound rows for every objective, tokenised whole", async () => {
    const tokenizer = openTokenizer();
    for (const file of [files.train, files.heldout]) {
      const { rows, problems, layout, isCertain } = await read(file);
      expect([problems, layout, isCertain]).toEqual([[], "trlExplicit", true]);
      const spokenFor = new Set(rows.map(({ objective }) => objective ?? objectives[0]?.id));
      expect(spokenFor).toEqual(new Set(objectives.map(({ id }) => id)));
      const tokenized = tokenizePairs(rows, { tokenizer, maxTokens: MAX_TOKENS });
      expect(tokenized.problems).toEqual([]);
      expect(tokenized.counts).toEqual({ apart: 0, truncatedPrompts: 0, cutAnswers: 0 });
    }
  });

  it("shares no prompt between its splits", async () => {
    const prompts = async (file: string) => (await read(file)).rows.map(({ prompt }) => textOf(prompt));
    const known = new Set(await prompts(files.train));
    expect((await prompts(files.heldout)).filter((prompt) => known.has(prompt))).toEqual([]);
  });

  it("names judges that exist", () => {
    expect(objectives.filter(({ judge }) => !(judge in judges))).toEqual([]);
  });
});
