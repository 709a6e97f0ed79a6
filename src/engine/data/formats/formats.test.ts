import { describe, expect, it } from "vitest";
import type { Entry } from "../containers/dataFile.ts";
import { readEntry } from "../readEntry.ts";
import { textOf, type Text } from "../row.ts";
import { dataFormats } from "./index.ts";

const human = (content: string) => ({ role: "user", content });
const reply = (content: string) => ({ role: "assistant", content });

/** Reads one row of a layout with its columns under their own names. */
function read(layout: string, raw: unknown, { scoreRatioFloor = 0, isTextOnly = false } = {}) {
  const format = dataFormats.find(({ id }) => id === layout);
  if (format === undefined) throw new Error(`There is no layout ${layout}.`);
  const columns = Object.fromEntries(format.roles.map(({ id, column }) => [id, column]));
  const entry: Entry = { row: 1, value: raw };
  const outcome = readEntry(entry, { format, columns, isTextOnly, scoreRatioFloor });
  return "row" in outcome ? outcome.row : outcome.problem;
}

const words = (...texts: Text[]) => texts.map(textOf);

function pairOf(layout: string, raw: unknown) {
  const row = read(layout, raw);
  if (row.kind !== "pair") throw new Error(JSON.stringify(row));
  return row;
}

describe("what both answers begin with", () => {
  it.each([
    ["The sky is blue.", "The sky is green.", ["The sky is", " blue.", " green."]],
    ["a bc", "a bd", ["a", " bc", " bd"]],
    // The shorter answer keeps its last word.
    ["a b", "a b c", ["a", " b", " b c"]],
    ["a\n\nb", "a\n\nc", ["a", "\n\nb", "\n\nc"]],
    ["one", "two", ["", "one", "two"]],
    // No spaces between words: the cut is where the texts part.
    ["天空是蓝色", "天空是绿色", ["天空是", "蓝色", "绿色"]],
  ])("parts %j from %j", (chosen, rejected, parts) => {
    const row = pairOf("trlImplicit", { chosen, rejected });
    expect(words(row.prompt, row.chosen, row.rejected)).toEqual(parts);
    expect(textOf(row.prompt) + textOf(row.chosen)).toBe(chosen);
  });

  it("is all leading turns, of which one stays an answer", () => {
    const shared = [human("a"), reply("b"), human("c")];
    const row = pairOf("trlImplicit", { chosen: [...shared, reply("d")], rejected: [...shared, reply("e")] });
    expect(row).toMatchObject({ prompt: shared, chosen: [reply("d")], rejected: [reply("e")] });
    expect(
      read("trlImplicit", { chosen: [human("a"), reply("b")], rejected: [human("x"), reply("b")] }),
    ).toMatchObject({
      kind: "emptyPrompt",
    });
  });
});

describe("hh-rlhf", () => {
  const turns = "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:";

  it("has the turns up to the last answer as its prompt", () => {
    expect(pairOf("hhRlhf", { chosen: `${turns} yes`, rejected: `${turns} no` })).toMatchObject({
      prompt: [human("a"), reply("b"), human("c")],
      chosen: [reply("yes")],
      rejected: [reply("no")],
      isTranscript: true,
    });
  });

  it("goes back to the last marker that both have, where an answer has one of its own", () => {
    const row = pairOf("hhRlhf", { chosen: `${turns} yes\n\nAssistant: more`, rejected: `${turns} no` });
    expect(row).toMatchObject({
      prompt: [human("a"), reply("b"), human("c")],
      chosen: [reply("yes\n\nAssistant: more")],
      rejected: [reply("no")],
    });
  });

  it.each([
    [turns, `${turns} no`, "emptyAnswer"],
    ["\n\nHuman: a\n\nAssistant: b", "\n\nHuman: x\n\nAssistant: b", "wrongType"],
    ["hello\n\nAssistant: b", "hello\n\nAssistant: c", "wrongType"],
  ])("refuses %j beside %j", (chosen, rejected, kind) => {
    expect(read("hhRlhf", { chosen, rejected })).toMatchObject({ kind });
  });
});

describe("UltraFeedback", () => {
  const row = {
    prompt: "a",
    chosen: [human("a"), reply("b")],
    rejected: [human("a"), reply("c")],
    score_chosen: 8,
    score_rejected: 3,
  };

  it("takes the prompt once, and the scores", () => {
    expect(pairOf("ultraFeedback", row)).toMatchObject({
      prompt: [human("a")],
      chosen: [reply("b")],
      rejected: [reply("c")],
      scores: { chosen: 8, rejected: 3 },
    });
    expect(pairOf("ultraFeedback", { ...row, chosen: [reply("b")], rejected: [reply("c")] })).toMatchObject({
      prompt: [human("a")],
      chosen: [reply("b")],
    });
  });

  it("leaves equal scores out", () => {
    expect(read("ultraFeedback", { ...row, score_rejected: 8 })).toEqual({
      kind: "equalScores",
      reason: "both answers have the score 8",
    });
  });
});

describe("layouts with two responses", () => {
  const pku = { prompt: "a", response_0: "b", response_1: "c", better_response_id: 1, safer_response_id: 0 };

  it("reads PKU-SafeRLHF by the answer that was named, from Parquet's whole numbers too", () => {
    expect(pairOf("pkuHelpful", pku)).toMatchObject({
      prompt: [human("a")],
      chosen: [reply("c")],
      rejected: [reply("b")],
    });
    expect(pairOf("pkuSafe", { ...pku, safer_response_id: 0n })).toMatchObject({
      chosen: [reply("b")],
      rejected: [reply("c")],
    });
    expect(read("pkuHelpful", { ...pku, better_response_id: 2 })).toMatchObject({ kind: "badNumber" });
  });

  it.each([
    [1, "b", { chosen: 3, rejected: 12 }],
    [0, "c", { chosen: 12, rejected: 3 }],
  ])("reads SHP's label %j", (labels, chosen, scores) => {
    const shp = {
      history: "a",
      human_ref_A: "b",
      human_ref_B: "c",
      labels,
      score_A: 3,
      score_B: 12,
      score_ratio: 4,
    };
    expect(pairOf("shp", shp)).toMatchObject({ prompt: [human("a")], chosen: [reply(chosen)], scores });
    expect(read("shp", shp, { scoreRatioFloor: 4 })).toMatchObject({ kind: "pair" });
    expect(read("shp", shp, { scoreRatioFloor: 4.5 })).toEqual({
      kind: "lowScoreRatio",
      reason: "the scores' ratio is 4, at least 4.5 was asked for",
    });
  });

  it("reads Orca's system message where there is one", () => {
    const orca = { system: "s", question: "q", chosen: "b", rejected: "c" };
    expect(pairOf("orcaDpo", orca).prompt).toEqual([{ role: "system", content: "s" }, human("q")]);
    expect(pairOf("orcaDpo", { ...orca, system: " " }).prompt).toEqual([human("q")]);
  });
});

describe("LLaMA-Factory", () => {
  it("names ShareGPT's speakers as chat templates do", () => {
    const row = {
      conversations: [
        { from: "system", value: "s" },
        { from: "human", value: "a" },
      ],
      chosen: { from: "gpt", value: "b" },
      rejected: { from: "gpt", value: "c" },
    };
    expect(pairOf("shareGptRanking", row)).toMatchObject({
      prompt: [{ role: "system", content: "s" }, human("a")],
      chosen: [reply("b")],
      rejected: [reply("c")],
    });
    const called = { ...row, conversations: [{ from: "observation", value: "x" }] };
    expect(read("shareGptRanking", called)).toMatchObject({ kind: "wrongType" });
  });

  it.each([
    ["", "do"],
    ["it", "do\nit"],
    [null, "do"],
  ])("puts Alpaca's input %j behind the instruction", (input, prompt) => {
    expect(
      words(pairOf("alpacaRanking", { instruction: "do", input, chosen: "b", rejected: "c" }).prompt),
    ).toEqual([prompt]);
    expect(pairOf("sftInstruction", { instruction: "do", input, output: "b" })).toMatchObject({
      prompt: [human(prompt)],
      chosen: [reply("b")],
      isSingle: true,
    });
  });
});

describe("labelled answers", () => {
  it.each([
    ["kto", { prompt: "a", completion: "b", label: false }, ["a", "b", false]],
    ["kto", { prompt: [human("a")], completion: [reply("b")], label: 1 }, ["a", "b", true]],
    ["beaverTails", { prompt: "a", response: "b", is_safe: false }, ["a", "b", false]],
    ["ktoMessages", { messages: [human("a"), reply("b")], label: true }, ["a", "b", true]],
  ])("are read by %s from %j", (layout, raw, expected) => {
    const row = read(layout, raw);
    if (row.kind !== "labelled") throw new Error(JSON.stringify(row));
    expect([textOf(row.prompt), textOf(row.completion), row.isGood]).toEqual(expected);
  });

  it("need a label that says yes or no, and a last message of the assistant's", () => {
    expect(read("kto", { prompt: "a", completion: "b", label: "good" })).toMatchObject({ kind: "wrongType" });
    expect(read("kto", { prompt: "a", completion: " ", label: true })).toMatchObject({ kind: "emptyAnswer" });
    expect(read("ktoMessages", { messages: [human("a")], label: true })).toMatchObject({ kind: "wrongType" });
    expect(read("ktoMessages", { messages: [reply("a")], label: true })).toMatchObject({
      kind: "emptyPrompt",
    });
  });
});

describe("texts of CSV", () => {
  const textOnly = { isTextOnly: true };

  it("stand for what their column is for", () => {
    expect(read("kto", { prompt: "1", completion: "true", label: "True" }, textOnly)).toMatchObject({
      prompt: "1",
      completion: "true",
      isGood: true,
    });
    const messages = JSON.stringify([human("a"), reply("b")]);
    expect(read("ktoMessages", { messages, label: "0" }, textOnly)).toMatchObject({
      isGood: false,
      prompt: [human("a")],
    });
    const scored = {
      prompt: "p",
      chosen: "a",
      rejected: "b",
      score_chosen: "2.5",
      score_rejected: "-1",
      weight: "",
    };
    expect(read("trlExplicit", scored, textOnly)).toMatchObject({ scores: { chosen: 2.5, rejected: -1 } });
    expect(read("trlExplicit", { ...scored, score_chosen: "high" }, textOnly)).toMatchObject({
      kind: "wrongType",
    });
  });
});

it("has an id of its own for every layout, and a column of its own for every role of one", () => {
  expect(new Set(dataFormats.map(({ id }) => id)).size).toBe(dataFormats.length);
  for (const { roles } of dataFormats)
    expect(new Set(roles.map(({ column }) => column)).size).toBe(roles.length);
});
