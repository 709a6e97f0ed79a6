import { describe, expect, it } from "vitest";
import { hasFixtures, readFixture } from "../testing/fixtures.ts";
import { readDataSet, type ReadDataOptions } from "./readDataSet.ts";
import { splitDataSet } from "./splitDataSet.ts";
import { textOf, type PairRow } from "./row.ts";

async function read(path: string, options: ReadDataOptions = {}) {
  const bytes = (await readFixture(`data/${path}`)) ?? new Uint8Array();
  return readDataSet([{ name: path.slice(path.lastIndexOf("/") + 1), bytes }], options);
}

function texts({ prompt, chosen, rejected }: PairRow) {
  return [textOf(prompt), textOf(chosen), textOf(rejected)];
}

const SKY = ["What color is the sky?", "It is blue.", "It is green."];
const STORY = ["The sky is", " blue.", " green."];

describe.skipIf(!hasFixtures)("the hand-written layouts", () => {
  it.each([
    ["trl_standard_explicit.jsonl", "trlExplicit", STORY],
    ["trl_standard_implicit.jsonl", "trlImplicit", STORY],
    ["trl_conversational_explicit.jsonl", "trlExplicit", SKY],
    ["trl_conversational_implicit.jsonl", "trlImplicit", SKY],
    ["hh_rlhf.jsonl", "hhRlhf", SKY],
    ["ultrafeedback_binarized.jsonl", "ultraFeedback", SKY],
    ["shp.jsonl", "shp", SKY],
    ["llamafactory_sharegpt_ranking.json", "shareGptRanking", SKY],
    ["llamafactory_alpaca_ranking.json", "alpacaRanking", SKY],
  ])("reads %s", async (file, layout, pair) => {
    const set = await read(`format-fixtures/${file}`);
    expect(set).toMatchObject({ layout, kind: "pairs", isCertain: true, problems: [], entries: 1 });
    expect(set.rows.map(texts)).toEqual([pair]);
  });

  it("puts Orca's system message before the question", async () => {
    const set = await read("format-fixtures/orca_dpo_pairs.jsonl");
    expect(set).toMatchObject({ layout: "orcaDpo", isCertain: true });
    expect(set.rows[0]?.prompt).toEqual([
      { role: "system", content: "You are helpful." },
      { role: "user", content: SKY[0] },
    ]);
    expect(set.rows.map(texts)).toEqual([[`You are helpful.\n${SKY[0]}`, SKY[1], SKY[2]]]);
  });

  it("asks by what PKU-SafeRLHF is read", async () => {
    const file = "format-fixtures/pku_saferlhf.jsonl";
    const set = await read(file);
    expect(set).toMatchObject({ layout: "pkuHelpful", isCertain: false });
    expect(set.alternatives).toContain("pkuSafe");
    expect(set.rows.map(texts)).toEqual([SKY]);
    const safe = await read(file, { layout: "pkuSafe" });
    expect(safe).toMatchObject({ layout: "pkuSafe", isCertain: true });
    expect(safe.rows.map(texts)).toEqual([[SKY[0], SKY[2], SKY[1]]]);
  });

  it("pairs labelled answers by prompt, and keeps those without a partner", async () => {
    const standard = await read("format-fixtures/kto_standard.jsonl");
    expect(standard).toMatchObject({ layout: "kto", kind: "unpaired", isCertain: true, unpaired: [] });
    expect(standard.rows.map(texts)).toEqual([STORY]);
    for (const [file, layout] of [
      ["kto_conversational.jsonl", "kto"],
      ["beavertails_330k.jsonl", "beaverTails"],
    ] as const) {
      const set = await read(`format-fixtures/${file}`);
      expect(set).toMatchObject({ layout, isCertain: true, rows: [], problems: [] });
      expect(
        set.unpaired.map(({ prompt, completion, isGood }) => [textOf(prompt), textOf(completion), isGood]),
      ).toEqual([[SKY[0], SKY[1], true]]);
    }
  });

  it.each([
    ["sft_messages.jsonl", "sftMessages", [SKY[0], SKY[1], ""]],
    ["sft_prompt_completion.jsonl", "sftCompletion", [STORY[0], STORY[1], ""]],
    ["sft_text.jsonl", "sftText", ["", "The sky is blue.", ""]],
  ])("reads answers to copy of %s", async (file, layout, row) => {
    const set = await read(`format-fixtures/${file}`);
    expect(set).toMatchObject({ layout, kind: "sft", isCertain: true, problems: [] });
    expect(set.rows.map(texts)).toEqual([row]);
    expect(set.rows[0]?.isSingle).toBe(true);
  });

  it("leaves out each of the six bad rows with its reason", async () => {
    const { rows, problems } = await read("format-fixtures/bad_rows.jsonl");
    expect(rows).toEqual([]);
    expect(problems.map(({ row, kind, reason }) => [row, kind, reason])).toEqual([
      [1, "identicalPair", "the two answers are identical"],
      [2, "emptyAnswer", "the chosen answer is empty"],
      [3, "missingColumn", 'the column "rejected" is missing'],
      [4, "unknownColumns", "unknown columns foo; expected prompt, chosen, rejected"],
      [5, "wrongType", 'the column "chosen" holds a number, expected a text or a list of messages'],
      [6, "invalidJson", "not valid JSON"],
    ]);
  });
});

describe.skipIf(!hasFixtures)("published sets", () => {
  it("reads hh-rlhf: 2312 transcripts, 4 of them with an empty answer", async () => {
    const bytes = (await readFixture("data/hh-rlhf-harmless-test/test.jsonl.gz")) ?? new Uint8Array();
    const set = await readDataSet([{ name: "test.jsonl.gz", bytes }]);
    expect(set).toMatchObject({ layout: "hhRlhf", isCertain: true, entries: 2312 });
    expect(set.problems.map(({ kind }) => kind)).toEqual(Array.from({ length: 4 }, () => "emptyAnswer"));
    expect(set.rows).toHaveLength(2308);

    // Read again with nothing but string functions.
    const text = await new Response(
      new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream("gzip")),
    ).text();
    const raws = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { chosen: string; rejected: string });
    const marker = "\n\nAssistant:";
    const upTo = (transcript: string) => transcript.slice(0, transcript.lastIndexOf(marker));
    const parting = raws.flatMap(({ chosen, rejected }, index) =>
      upTo(chosen) === upTo(rejected) ? [] : [index + 1],
    );
    expect(parting).toHaveLength(5);
    for (const row of set.rows) {
      const raw = raws[row.source.row - 1];
      for (const side of ["chosen", "rejected"] as const) {
        const answer = textOf(row[side]);
        expect(raw?.[side].endsWith(`${marker} ${answer}`) || raw?.[side].endsWith(marker + answer)).toBe(
          true,
        );
      }
    }
    const isWhole = ({ source }: PairRow) => !parting.includes(source.row);
    const plain = set.rows.filter(isWhole).flatMap(({ chosen, rejected }) => [chosen, rejected]);
    expect(plain.filter((answer) => textOf(answer).includes(marker))).toEqual([]);
    const five = set.rows.filter(({ source }) => parting.includes(source.row));
    for (const { chosen, rejected } of five)
      expect([chosen, rejected].some((answer) => textOf(answer).includes(marker))).toBe(true);
  });

  it.each([
    ["dpo_en_demo.json", "shareGptRanking", 300],
    ["dpo_zh_demo.json", "shareGptRanking", 300],
    ["alpaca_en_demo.json", "sftInstruction", 999],
  ])("reads all of LLaMA-Factory's %s", async (file, layout, count) => {
    const set = await read(`llamafactory-demo/${file}`);
    expect(set).toMatchObject({ layout, isCertain: true, problems: [], entries: count });
    expect(set.rows).toHaveLength(count);
  });

  it("reads 150 good and 150 bad answers of LLaMA-Factory's KTO set", async () => {
    const set = await read("llamafactory-demo/kto_en_demo.json");
    expect(set).toMatchObject({ layout: "ktoMessages", isCertain: true, problems: [], entries: 300 });
    const good = set.unpaired.filter(({ isGood }) => isGood).length;
    expect([good + set.rows.length, set.unpaired.length - good + set.rows.length]).toEqual([150, 150]);
    const { train, heldout } = splitDataSet(set);
    // Nothing of either label is lost between the sides.
    const all = [...train, ...heldout];
    const chosen = all.map((row) => `${textOf(row.prompt)}\n${textOf(row.chosen)}`);
    const rejected = all.map((row) => `${textOf(row.rejectedPrompt ?? row.prompt)}\n${textOf(row.rejected)}`);
    expect([new Set(chosen).size, new Set(rejected).size]).toEqual([150, 150]);
  });

  it("reads stories-sentiment, and the same rows from Parquet", async () => {
    const train = await read("stories-sentiment/train.jsonl");
    const test = await read("stories-sentiment/test.jsonl");
    const columns = await read("stories-sentiment/test.parquet");
    for (const set of [train, test, columns])
      expect(set).toMatchObject({ layout: "trlExplicit", isCertain: true, problems: [] });
    expect([train.rows.length, test.rows.length]).toEqual([667, 100]);
    const ofFile = (row: PairRow) => ({ ...row, source: row.source.row });
    expect(columns.rows.map(ofFile)).toEqual(test.rows.map(ofFile));
    for (const { scores } of train.rows)
      expect((scores?.chosen ?? 0) - (scores?.rejected ?? 0)).toBeGreaterThanOrEqual(0.15 - 1e-9);
    const some = await read("stories-sentiment/test.parquet", { rows: { from: 10, count: 3 } });
    expect(some.rows.map(ofFile)).toEqual(test.rows.slice(10, 13).map(ofFile));
  });

  it("keeps the split of files that are named for it", async () => {
    const files = await Promise.all(
      ["train.jsonl", "test.jsonl"].map(async (name) => ({
        name,
        bytes: (await readFixture(`data/stories-sentiment/${name}`)) ?? new Uint8Array(),
      })),
    );
    const { train, heldout } = splitDataSet(await readDataSet(files));
    expect([train.length, heldout.length]).toEqual([667, 100]);
    expect(new Set(heldout.map(({ source }) => source.file))).toEqual(new Set(["test.jsonl"]));
  });

  it("reads a list of a thousand texts", async () => {
    const set = await read("tinystories-1000/tinystories_1000.json");
    expect(set).toMatchObject({
      layout: "sftText",
      kind: "sft",
      isCertain: true,
      problems: [],
      entries: 1000,
    });
    expect(set.rows).toHaveLength(1000);
    expect(set.rows.every(({ isSingle, chosen }) => isSingle === true && textOf(chosen).length > 0)).toBe(
      true,
    );
  });
});
