import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "./datasetError.ts";
import { readDataSet, type ReadDataOptions } from "./readDataSet.ts";

const good = '{"prompt":"The sky is","chosen":" blue.","rejected":" green."}';

function read(source: string | Uint8Array, name: string, options: ReadDataOptions = {}) {
  const bytes = typeof source === "string" ? new TextEncoder().encode(source) : source;
  return readDataSet([{ name, bytes }], options);
}

async function refusal(source: string | Uint8Array, name: string): Promise<DatasetError> {
  const error: unknown = await read(source, name).catch((cause: unknown) => cause);
  if (error instanceof DatasetError) return error;
  throw new Error("the file was accepted");
}

describe("readDataSet", () => {
  it("reads texts as they are, with scores and objective where given", async () => {
    const scored =
      '{"prompt":"p","chosen":"a","rejected":"b","objective":"kind","score_chosen":1,"score_rejected":-1}';
    const set = await read(`\uFEFF${good}\r\n\n${scored}\n`, "pairs.jsonl");
    expect(set).toMatchObject({ problems: [], layout: "trlExplicit", isCertain: true, entries: 2 });
    expect(set.rows).toEqual([
      {
        prompt: "The sky is",
        chosen: " blue.",
        rejected: " green.",
        source: { file: "pairs.jsonl", row: 1 },
      },
      {
        prompt: "p",
        chosen: "a",
        rejected: "b",
        objective: "kind",
        scores: { chosen: 1, rejected: -1 },
        source: { file: "pairs.jsonl", row: 3 },
      },
    ]);
  });

  it.each([
    ["[1]", "wrongType", "not a JSON object"],
    ['{"prompt":"p","chosen":"a"}', "missingColumn", '"rejected" is missing'],
    ['{"prompt":"p","chosen":"a","rejected":null}', "wrongType", '"rejected" holds null'],
    ['{"prompt":"p","chosen":"a","rejected":[{"role":"user"}]}', "wrongType", "another list"],
    [
      '{"prompt":"p","chosen":"a","rejected":[{"role":"r","content":"c"}]}',
      "wrongType",
      "all texts or all lists",
    ],
    ['{"prompt":"p","chosen":"a","rejected":"b","score_chosen":1}', "wrongType", "both hold numbers"],
    ['{"prompt":"p","chosen":"a","rejected":"b","objective":7}', "wrongType", '"objective" holds a number'],
    ['{"prompt":"p","chosen":" \\n","rejected":"b"}', "emptyAnswer", "chosen answer is empty"],
    ['{"prompt":"p","chosen":"a","rejected":"a"}', "identicalPair", "identical"],
    ['{"text":"a"}', "unknownColumns", "unknown columns text; expected prompt, chosen, rejected"],
    ["{", "invalidJson", "not valid JSON"],
    ['{"prompt":"p","chosen":"a","rejected":"b","weight":1e999}', "badNumber", "the weight is Infinity"],
    ['{"prompt":"p","chosen":"a","rejected":"b","weight":-1}', "badNumber", "expected a finite number"],
    ['{"prompt":"p","chosen":"a","rejected":"b","weight":"1"}', "wrongType", '"weight" holds a string'],
    [
      '{"prompt":"p","chosen":"a","rejected":"b","score_chosen":1e999,"score_rejected":0}',
      "badNumber",
      "the scores are Infinity and 0",
    ],
  ])("reports the row %s as %s", async (line, kind, words) => {
    const { rows, problems, preview } = await read(`${good}\n${line}`, "pairs.jsonl");
    expect(rows).toHaveLength(1);
    expect(problems).toMatchObject([{ row: 2, file: "pairs.jsonl", kind }]);
    expect(problems[0]?.reason).toContain(words);
    expect(preview[0]).toMatchObject({
      cells: { prompt: "The sky is" },
      pair: { prompt: "The sky is", chosen: " blue.", rejected: " green." },
      reason: "",
    });
    expect(preview[1]).toMatchObject({ pair: null, reason: problems[0]?.reason });
  });

  it("refuses files and bytes that are no rows", async () => {
    const unknown = await refusal(new Uint8Array(8), "foo.bin");
    expect(unknown).toMatchObject({ code: "FIL-1", file: "foo.bin" });
    expect(unknown.message).toContain('"foo.bin" is not a format I know.');
    expect((await refusal(Uint8Array.of(0xff, 0xfe), "pairs.jsonl")).message).toContain("not text in UTF-8");
    expect((await refusal("hello", "pairs.jsonl")).message).toContain("no row of it is a JSON object");
    expect((await refusal("\n", "pairs.jsonl")).message).toContain("holds no rows");
    await expect(readDataSet([])).rejects.toThrow("there is no file");
  });

  it("leaves every row of unknown columns out with what was expected, as a guess to be mended by hand", async () => {
    const source = '{"foo":"a","bar":"b","baz":"c"}';
    const set = await read(source, "pairs.jsonl");
    expect(set).toMatchObject({ rows: [], isCertain: false, layout: "trlExplicit" });
    expect(set.problems[0]?.reason).toBe("unknown columns foo, bar, baz; expected prompt, chosen, rejected");
    const columns = { prompt: "foo", chosen: "bar", rejected: "baz" };
    const mended = await read(source, "pairs.jsonl", { layout: "trlExplicit", columns });
    expect(mended).toMatchObject({ isCertain: true, rows: [{ prompt: "a", chosen: "b", rejected: "c" }] });
  });

  it("reads several files of one set, each row with its own file", async () => {
    const bytes = new TextEncoder().encode(good);
    const set = await readDataSet([
      { name: "train.jsonl", bytes },
      { name: "test.jsonl", bytes },
    ]);
    expect(set.label).toBe("train.jsonl, test.jsonl");
    expect(set.rows.map(({ source }) => source.file)).toEqual(["train.jsonl", "test.jsonl"]);
  });

  it("accounts for every line of any text", async () => {
    const line = fc.oneof(fc.string({ unit: "grapheme" }), fc.json(), fc.constant(good));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const text = [good, good, ...lines].join("\n");
        const filled = text.split("\n").filter((part) => part.trim() !== "");
        const { rows, problems, prompts, unpaired, entries } = await read(text, "pairs.jsonl");
        expect(entries).toBe(filled.length);
        expect(rows.length + problems.length + prompts.length + unpaired.length).toBe(filled.length);
      }),
      { numRuns: 100 },
    );
  });
});
