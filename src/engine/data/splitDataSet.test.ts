import { describe, expect, it } from "vitest";
import type { LabelledRow, PairRow } from "./row.ts";
import { readDataSet } from "./readDataSet.ts";
import { nothingToTrain, splitDataSet } from "./splitDataSet.ts";

const pair = (prompt: string, file = "pairs.jsonl", chosen = "a"): PairRow => ({
  prompt,
  chosen,
  rejected: "b",
  source: { file, row: 1 },
});

const many = (count: number, make: (index: number) => PairRow) =>
  Array.from({ length: count }, (_, index) => make(index));

const promptsOf = (rows: readonly PairRow[]) =>
  new Set(rows.flatMap(({ prompt, rejectedPrompt = prompt }) => [prompt, rejectedPrompt]));

describe("nothingToTrain", () => {
  const read = (text: string) => readDataSet([{ name: "a.jsonl", bytes: new TextEncoder().encode(text) }]);
  const labelled = (label: boolean) => JSON.stringify({ prompt: `${label}`, completion: "c", label });

  it.each([
    ['{"prompt":"a"}\n{"prompt":"b"}', '"a.jsonl" holds 2 prompts and no answers'],
    [labelled(true), 'All 1 answers of "a.jsonl" are labelled good'],
    [labelled(false), "are labelled bad"],
  ])("says what %s lacks", async (text, words) => {
    expect(nothingToTrain(await read(text))).toContain(words);
  });

  it("is silent where there are pairs, or could be", async () => {
    expect(nothingToTrain(await read(`${labelled(true)}\n${labelled(false)}`))).toBeNull();
    expect(nothingToTrain(await read('{"text":"a"}'))).toBeNull();
  });
});

describe("splitDataSet", () => {
  it("holds a fifth of the prompts out, with all their rows", () => {
    const rows = many(100, (index) => pair(`p${index % 50}`));
    const { train, heldout } = splitDataSet({ rows, unpaired: [] });
    expect([train.length, heldout.length]).toEqual([80, 20]);
    expect([...promptsOf(heldout)].filter((prompt) => promptsOf(train).has(prompt))).toEqual([]);
    expect(splitDataSet({ rows, unpaired: [] })).toEqual({ train, heldout });
  });

  it.each(["test.jsonl", "data/my-valid.parquet", "eval_1.csv", "HELDOUT.json"])(
    "holds out what is in %s",
    (name) => {
      const rows = [...many(3, (index) => pair(`p${index}`, "train.jsonl")), pair("p0", name)];
      const { train, heldout } = splitDataSet({ rows, unpaired: [] });
      expect([train, heldout]).toEqual([rows.slice(0, 3), rows.slice(3)]);
    },
  );

  it.each([["latest.jsonl"], ["test.jsonl"]])("draws where %s is the only kind of file there is", (name) => {
    const { train, heldout } = splitDataSet({
      rows: many(10, (index) => pair(`p${index}`, name)),
      unpaired: [],
    });
    expect([train.length, heldout.length]).toEqual([8, 2]);
  });

  it("tells texts without a prompt apart by themselves", () => {
    const { train, heldout } = splitDataSet({
      rows: many(10, (index) => pair("", "a.jsonl", `t${index}`)),
      unpaired: [],
    });
    expect([train.length, heldout.length]).toEqual([8, 2]);
  });

  it("pairs labelled answers within each side alone", () => {
    const unpaired = Array.from({ length: 100 }, (_, index): LabelledRow => ({
      prompt: `p${index}`,
      completion: `c${index}`,
      isGood: index % 3 > 0,
      source: { file: "a.jsonl", row: index + 1 },
    }));
    const { train, heldout } = splitDataSet({ rows: [], unpaired });
    const [trained, held] = [promptsOf(train), promptsOf(heldout)];
    expect([trained.size, held.size]).toEqual([80, 20]);
    expect([...held].filter((prompt) => trained.has(prompt))).toEqual([]);
    expect(train.every(({ rejectedPrompt }) => rejectedPrompt !== undefined)).toBe(true);
  });
});
