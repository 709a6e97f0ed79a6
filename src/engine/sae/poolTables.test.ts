import { expect, it } from "vitest";
import { pairBatch } from "../data/batch.ts";
import { poolTables } from "./poolTables.ts";

const START = 1;
const pair = {
  row: 0,
  prompt: Int32Array.of(START),
  chosen: Int32Array.of(5, 6, START),
  rejected: Int32Array.of(7, START),
};

it("names the rows of each answer, of which the prompt's last row belongs to both", () => {
  // Rows: start, 5, 6, start, 7, start; entries: three of the chosen answer, two of the rejected one.
  const tables = poolTables(pairBatch([pair]), null);
  expect([...tables.scoredRows]).toEqual([0, 1, 2, 0, 4]);
  expect([...tables.entryRanges]).toEqual([0, 3, 3, 5]);
  expect([...tables.rowAnswers]).toEqual([0, 1, 0, -1, 0, -1, -1, -1, 1, -1, -1, -1]);
});

it("leaves out the rows of the start of the text, and counts them", () => {
  const tables = poolTables(pairBatch([pair]), START);
  expect([...tables.scoredRows]).toEqual([-1, 1, 2, -1, 4]);
  expect([...tables.entryRanges]).toEqual([0, 3, 3, 5]);
  expect([...tables.rowAnswers]).toEqual([-1, -1, 0, -1, 0, -1, -1, -1, 1, -1, -1, -1]);
});
