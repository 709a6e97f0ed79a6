import { describe, expect, it } from "vitest";
import { asRead } from "../engine/data/steps/setRow.ts";
import { healthOf, heldPairs, tellHealth } from "./checkedData.ts";
import { reportError } from "./errorReport.ts";
import type { RowQuery } from "./protocol.ts";
import { createRowTable } from "./rowTable.ts";

const everything: RowQuery = {
  search: "",
  split: "all",
  flag: null,
  sortBy: "row",
  isDescending: false,
  from: 0,
  count: 10,
};

/** Pairs whose answers are as long as they say; every tenth is held out and has no gap. */
function heldData(count: number, prompt = (index: number) => `Question ${index}?`) {
  const rows = Array.from({ length: count }, (_, index) => ({
    prompt: prompt(index),
    chosen: `Yes, ${index % 7} apples and a pear.`,
    rejected: `No ${index}.`,
    source: { file: "folder/pairs.jsonl", row: index + 1 },
  }));
  const trainCount = count - Math.floor(count / 10);
  const set = asRead(rows.slice(0, trainCount), rows.slice(trainCount), null);
  const tokens = (split: "train" | "heldout") =>
    set[split].map(({ place }, row) => ({
      prompt: Int32Array.of(1),
      chosen: new Int32Array(3 + (place % 5)),
      rejected: new Int32Array(4),
      row,
      ...(split === "train" ? { rewardGap: ((place * 3) % 10) / 10 } : {}),
    }));
  return {
    train: tokens("train"),
    heldout: tokens("heldout"),
    trainRows: set.train,
    heldoutRows: set.heldout,
    settings: {
      objective: "",
      maxTokens: 64,
      terminator: "auto" as const,
      layout: "",
      columns: {},
      steps: [],
    },
  };
}

async function tableOf(data: ReturnType<typeof heldData>) {
  const table = createRowTable(heldPairs(data), await healthOf(data));
  return {
    places: async (query: Partial<RowQuery>) =>
      (await table.find({ ...everything, ...query })).rows.map(({ row }) => row),
    find: (query: Partial<RowQuery>) => table.find({ ...everything, ...query }),
  };
}

describe("a table of pairs", () => {
  it("shows rows with what is known of them", async () => {
    const table = await tableOf(heldData(20));
    expect((await table.find({ from: 3, count: 1 })).rows).toEqual([
      {
        row: 3,
        split: "train",
        prompt: "Question 3?",
        chosen: "Yes, 3 apples and a pear.",
        rejected: "No 3.",
        chosenTokens: 6,
        rejectedTokens: 4,
        gap: 0.9,
        flags: [],
        source: "pairs.jsonl, row 4",
      },
    ]);
    expect(await table.places({ split: "heldout" })).toEqual([18, 19]);
    expect(await table.places({ from: 18, count: 50 })).toEqual([18, 19]);
    expect(await table.places({ from: -5, count: 2 })).toEqual([0, 1]);
    expect((await table.find({ count: -1 })).matches).toBe(20);
  });

  it("sorts by a number, rows without it last, equal ones in their order", async () => {
    const table = await tableOf(heldData(20));
    // Gaps of places 0 … 9 are 0, 0.3, 0.6, 0.9, 0.2, 0.5, 0.8, 0.1, 0.4, 0.7.
    expect(await table.places({ sortBy: "gap", count: 4 })).toEqual([0, 10, 7, 17]);
    expect(await table.places({ sortBy: "gap", isDescending: true, count: 3 })).toEqual([3, 13, 6]);
    expect(await table.places({ sortBy: "gap", isDescending: true, from: 17 })).toEqual([10, 18, 19]);
    expect(await table.places({ sortBy: "chosenTokens", isDescending: true, count: 2 })).toEqual([4, 9]);
    expect(await table.places({ sortBy: "row", isDescending: true, count: 2 })).toEqual([19, 18]);
  });

  it("searches all texts of 50,000 pairs, and says what is wrong with a search", async () => {
    const large = createRowTable(heldPairs(heldData(50_000)), { findings: [] });
    const find = (query: Partial<RowQuery>) => large.find({ ...everything, ...query });
    expect((await find({ search: "QUESTION 4999" })).rows.map(({ row }) => row)).toEqual([
      4999, 49_990, 49_991, 49_992, 49_993, 49_994, 49_995, 49_996, 49_997, 49_998,
    ]);
    expect((await find({ search: "/^No \\d{2}\\.$/" })).matches).toBe(90);
    expect((await find({ search: "/(a+)+$/", split: "heldout" })).matches).toBe(0);
    const error = await find({ search: "/(/" }).catch(reportError);
    expect(error).toMatchObject({ code: "CFG-1" });
    expect(error).toHaveProperty("message", expect.stringContaining('"/(/" is no regular expression'));
  });

  it("filters by what the health checks name", async () => {
    const data = heldData(30, (index) => (index === 2 ? "question 28" : `Question ${index}?`));
    const table = await tableOf(data);
    expect((await table.find({ flag: "leakage" })).rows).toMatchObject([
      { row: 2, flags: ["leakage", "longerChosen"] },
    ]);
    expect(await table.places({ flag: "equalScores" })).toEqual([0, 10, 20]);
    expect(await table.places({ flag: "equalScores", search: "question 1" })).toEqual([10]);
    const { findings, lengths, longerChosenShare } = await tellHealth(data);
    expect(findings.map(({ check, count, rows }) => [check, count, rows.length])).toEqual([
      ["leakage", 1, 1],
      ["equalScores", 3, 3],
      ["longerChosen", 18, 18],
    ]);
    // Lengths 3, 4, 5, 6, 7 against 4: three fifths are longer and one is a tie.
    expect(longerChosenShare).toBeCloseTo(0.6 + 0.1, 10);
    expect(lengths.chosen.reduce((sum, count) => sum + count, 0)).toBe(30);
  });

  it("keeps the rows of a finding that cross the wall within a thousand", async () => {
    const data = heldData(3000, () => "Again?");
    const leakage = (await tellHealth(data)).findings.find(({ check }) => check === "leakage");
    expect([leakage?.count, leakage?.rows.length]).toEqual([2700, 1000]);
  });
});
