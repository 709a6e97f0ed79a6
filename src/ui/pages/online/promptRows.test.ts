import { expect, it } from "vitest";
import { testRounds } from "../../../state/testOnlineAnswers.ts";
import { answersFailed, failureGroups } from "./failureList.ts";
import { countFates, everyPrompt, filterPrompts, promptRow } from "./promptRows.ts";

const pair = (score: number) => ({
  chosen: " Tom sang.",
  rejected: " Tom ran.",
  chosenScore: score + 0.5,
  rejectedScore: score - 0.5,
  drawnIn: 0,
});
const outcome = (prompt: string, change: object) => ({
  prompt,
  isRegenerated: true,
  before: pair(0),
  now: pair(0),
  reason: "" as const,
  ...change,
});
const rows = [
  outcome("worse", { now: pair(-0.2) }),
  outcome("kept", { isRegenerated: false, before: pair(0.9), now: pair(0.9) }),
  outcome("better", { now: pair(0.4) }),
  outcome("stays", { reason: "equalScores" }),
  outcome("none", { now: null, before: null, reason: "emptyAnswers" }),
].map(promptRow);
const order = (filter: object) =>
  filterPrompts(rows, { ...everyPrompt, ...filter }).map(({ outcome: { prompt } }) => prompt);

it("tells new pairs from kept ones, and from prompts that were drawn for nothing", () => {
  expect(rows.map(({ fate }) => fate)).toEqual(["regenerated", "kept", "regenerated", "dropped", "dropped"]);
  expect(countFates(rows)).toEqual({ regenerated: 2, kept: 1, dropped: 2 });
  expect(promptRow(testRounds[1]!.prompts[1]!, 1).fate).toBe("dropped");
});

it("measures the change of the mean score where a new pair took an old one's place", () => {
  expect(rows.map(({ change }) => change)).toEqual([expect.closeTo(-0.2), null, 0.4, null, null]);
  // ((0.8 − 0.5) − (0.5 − 0.5)) / 2 = 0.15, as the record says.
  const row = promptRow(testRounds[1]!.prompts[0]!, 0);
  expect(row.change).toBeCloseTo(testRounds[1]!.metrics["online/score_gain"]!, 12);
  expect(promptRow(testRounds[0]!.prompts[0]!, 0).change).toBeNull();
});

it("sorts both ways, with those that have no number last in the order of the set", () => {
  expect(order({ sortBy: "change", isDescending: true })).toEqual([
    "better",
    "worse",
    "kept",
    "stays",
    "none",
  ]);
  expect(order({ sortBy: "change" })).toEqual(["worse", "better", "kept", "stays", "none"]);
  expect(order({ sortBy: "score", isDescending: true })).toEqual([
    "kept",
    "better",
    "stays",
    "worse",
    "none",
  ]);
});

it("finds prompts and answers whatever their case", () => {
  expect(order({ search: "  BETT" })).toEqual(["better"]);
  expect(order({ search: "sang", fate: "dropped" })).toEqual(["stays"]);
  expect(order({ search: "nobody" })).toEqual([]);
});

it("groups failures by judge and reason, and counts an answer that two judges failed on once", () => {
  const failures = [
    { judge: "A", prompt: "p", answer: "x", reason: "gave NaN" },
    { judge: "B", prompt: "p", answer: "x", reason: "not reached" },
    { judge: "B", prompt: "p", answer: "y", reason: "not reached" },
  ];
  expect(failureGroups(failures).map(({ judge, answers }) => [judge, answers.length])).toEqual([
    ["B", 2],
    ["A", 1],
  ]);
  expect(answersFailed(failures)).toBe(2);
});
