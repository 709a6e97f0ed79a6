import { describe, expect, it } from "vitest";
import { hasFixtures, readFixture, readFixtureText } from "../testing/fixtures.ts";
import { createTokenizer } from "../tokenizer/tokenizer.ts";
import { readDataSet } from "./readDataSet.ts";
import { tokenizePairs } from "./tokenizePairs.ts";

async function parse(path: string): Promise<unknown> {
  return JSON.parse((await readFixtureText(path)) ?? "null");
}

async function openTokenizer() {
  const model = "models/stories260K/hf";
  return createTokenizer({
    tokenizerJson: await parse(`${model}/tokenizer.json`),
    tokenizerConfig: await parse(`${model}/tokenizer_config.json`),
    generationConfig: await parse(`${model}/generation_config.json`),
  });
}

async function stories() {
  const bytes = await readFixture("data/stories-sentiment/train.jsonl");
  return (await readDataSet([{ name: "train.jsonl", bytes: bytes ?? new Uint8Array() }])).rows;
}

describe.skipIf(!hasFixtures)("tokenizePairs on stories-sentiment", () => {
  it("splits every row behind its prompt, with the known lengths", async () => {
    const tokenizer = await openTokenizer();
    const rows = await stories();
    const { pairs, problems, counts } = tokenizePairs(rows, {
      tokenizer,
      terminator: "none",
      maxTokens: 160,
    });
    expect(problems).toEqual([]);
    expect(counts).toEqual({ apart: 0, truncatedPrompts: 0, cutAnswers: 0 });
    expect(pairs).toHaveLength(667);
    const mean = (side: "chosen" | "rejected") =>
      pairs.reduce((sum, pair) => sum + pair[side].length, 0) / pairs.length;
    expect(mean("chosen")).toBeCloseTo(82.9, 1);
    expect(mean("rejected")).toBeCloseTo(83.1, 1);
    for (const { prompt, chosen, row } of pairs)
      expect(tokenizer.decode([...chosen], { after: [...prompt] })).toBe(rows[row]?.chosen);
  });

  it("gives the token ids that the reference trajectories were run on", async () => {
    type Ids = { prompt: number[]; chosen: number[]; rejected: number[] };
    const { train } = (await parse("trajectories/trajectories.json")) as { train: Ids[] };
    const tokenizer = await openTokenizer();
    const { pairs } = tokenizePairs(await stories(), { tokenizer, maxTokens: 512 });
    const known = new Set(pairs.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected].join(";")));
    expect(train.length).toBeGreaterThan(0);
    for (const { prompt, chosen, rejected } of train)
      expect(known).toContain([prompt, chosen, rejected].join(";"));
  });
});
