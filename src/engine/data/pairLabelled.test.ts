import { expect, it } from "vitest";
import { pairAcrossPrompts, pairByPrompt } from "./pairLabelled.ts";
import { textOf, type LabelledRow, type Text } from "./row.ts";

let line = 0;
const labelled = (prompt: string, completion: string, isGood: boolean): LabelledRow => ({
  prompt,
  completion,
  isGood,
  source: { file: "a.jsonl", row: ++line },
});

const numberIn = (text: Text) => textOf(text).slice(1);

it("pairs good and bad answers to a prompt in order, each once, and keeps what is left", () => {
  const rows = [
    labelled("p", "g1", true),
    labelled("q", "b1", false),
    labelled("p", "g2", true),
    labelled("p", "b1", false),
    labelled("q", "g1", true),
    labelled("p", "b2", false),
    labelled("p", "b3", false),
    labelled("r", "g1", true),
  ];
  const { pairs, unpaired } = pairByPrompt(rows);
  expect(pairs.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected])).toEqual([
    ["p", "g1", "b1"],
    ["q", "g1", "b1"],
    ["p", "g2", "b2"],
  ]);
  expect(pairs.map(({ source }) => source)).toEqual([rows[0], rows[1], rows[2]].map((row) => row?.source));
  expect(unpaired).toEqual([rows[6], rows[7]]);
});

it("makes no pair of an answer that is called both good and bad", () => {
  const rows = [labelled("p", "same", true), labelled("p", "same", false)];
  expect(pairByPrompt(rows)).toEqual({ pairs: [], unpaired: rows });
  expect(pairAcrossPrompts(rows, 0)).toEqual([]);
});

it("puts every answer beside one of the other label, and the rarer ones more than once", () => {
  const good = Array.from({ length: 7 }, (_, index) => labelled(`p${index}`, `g${index}`, true));
  const bad = Array.from({ length: 3 }, (_, index) => labelled(`q${index}`, `b${index}`, false));
  const pairs = pairAcrossPrompts([...good, ...bad], 4);
  expect(pairs).toHaveLength(7);
  expect(new Set(pairs.map(({ chosen }) => chosen)).size).toBe(7);
  const times = bad.map(({ completion }) => pairs.filter(({ rejected }) => rejected === completion).length);
  expect(times.toSorted((a, b) => a - b)).toEqual([2, 2, 3]);
  // Every answer comes with its own prompt: g3 answers p3, b1 answers q1.
  for (const { prompt, chosen, rejectedPrompt = "", rejected } of pairs) {
    expect(numberIn(chosen)).toBe(numberIn(prompt));
    expect(numberIn(rejected)).toBe(numberIn(rejectedPrompt));
  }
  expect(pairAcrossPrompts([...good, ...bad], 4)).toEqual(pairs);
  expect(pairAcrossPrompts([...good, ...bad], 5)).not.toEqual(pairs);
  expect(pairAcrossPrompts(good, 4)).toEqual([]);
});
