import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "../tokenizer/tokenizer.ts";
import { readPairs } from "./readPairs.ts";
import { tokenizePairs } from "./tokenizePairs.ts";

const folder = process.env["FIXTURES_DIR"] ?? "../shared/fixtures";
const isThere = existsSync(`${folder}/data`) && existsSync(`${folder}/trajectories`);
if (!isThere) console.warn(`skipped: there are no fixtures at ${folder}`);

const parse = (path: string): unknown => JSON.parse(readFileSync(`${folder}/${path}`, "utf8"));

function openTokenizer() {
  const model = "models/stories260K/hf";
  return createTokenizer({
    tokenizerJson: parse(`${model}/tokenizer.json`),
    tokenizerConfig: parse(`${model}/tokenizer_config.json`),
    generationConfig: parse(`${model}/generation_config.json`),
  });
}

function stories(split: string) {
  return readPairs(readFileSync(`${folder}/data/stories-sentiment/${split}.jsonl`), `${split}.jsonl`).rows;
}

describe.skipIf(!isThere)("tokenizePairs on stories-sentiment", () => {
  it("splits every row behind its prompt, with the known lengths", () => {
    const tokenizer = openTokenizer();
    const rows = stories("train");
    const { pairs, problems, counts } = tokenizePairs(rows, { tokenizer, terminator: "none", maxTokens: 160 });
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

  it("gives the token ids that the reference trajectories were run on", () => {
    type Ids = { prompt: number[]; chosen: number[]; rejected: number[] };
    const { train } = parse("trajectories/trajectories.json") as { train: Ids[] };
    const { pairs } = tokenizePairs(stories("train"), { tokenizer: openTokenizer(), maxTokens: 512 });
    const known = new Set(pairs.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected].join(";")));
    expect(train.length).toBeGreaterThan(0);
    for (const { prompt, chosen, rejected } of train)
      expect(known).toContain([prompt, chosen, rejected].join(";"));
  });
});
