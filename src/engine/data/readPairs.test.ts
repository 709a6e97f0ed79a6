import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DatasetError } from "./datasetError.ts";
import { readPairs } from "./readPairs.ts";

const good = '{"prompt":"The sky is","chosen":" blue.","rejected":" green."}';

function refusal(source: string | Uint8Array, file: string): DatasetError {
  try {
    readPairs(source, file);
  } catch (error) {
    if (error instanceof DatasetError) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

describe("readPairs", () => {
  it("reads texts as they are, with scores and objective where given", () => {
    const scored =
      '{"prompt":"p","chosen":"a","rejected":"b","objective":"kind","score_chosen":1,"score_rejected":-1}';
    const { rows, problems } = readPairs(`\uFEFF${good}\r\n\n${scored}\n`, "pairs.jsonl");
    expect(problems).toEqual([]);
    expect(rows).toEqual([
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

  it("reads bytes and JSON lists", () => {
    const bytes = new TextEncoder().encode(`[${good}]`);
    expect(readPairs(bytes, "pairs.JSON").rows).toHaveLength(1);
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
  ])("reports the row %s as %s", (line, kind, words) => {
    const { rows, problems } = readPairs(`${good}\n${line}`, "pairs.jsonl");
    expect(rows).toHaveLength(1);
    expect(problems).toMatchObject([{ row: 2, kind }]);
    expect(problems[0]?.reason).toContain(words);
  });

  it("refuses containers, bytes and columns it does not know", () => {
    const unknown = refusal(new Uint8Array(8), "foo.bin");
    expect(unknown).toMatchObject({ code: "FIL-1", file: "foo.bin" });
    expect(unknown.message).toContain('"foo.bin" is not a format I know.');
    expect(refusal(Uint8Array.of(0xff, 0xfe), "pairs.jsonl").message).toContain("not text in UTF-8");
    expect(refusal("hello", "pairs.jsonl").message).toContain("no row of it is a JSON object");
    expect(refusal(good, "pairs.json").message).toContain("one JSON list");
    expect(refusal("\n", "pairs.jsonl").message).toContain("holds no rows");
    const columns = refusal('{"text":"a","label":1}', "pairs.jsonl");
    expect(columns.code).toBe("DAT-1");
    expect(columns.message).toContain("found text, label; expected prompt, chosen, rejected");
    expect(refusal('{"chosen":"a","rejected":"b"}', "pairs.jsonl").message).toContain(
      "found chosen, rejected;",
    );
  });

  it("accounts for every line of any text", () => {
    const line = fc.oneof(fc.string({ unit: "grapheme" }), fc.json(), fc.constant(good));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const text = [good, ...lines].join("\n");
        const filled = text.split("\n").filter((part) => part.trim() !== "");
        const { rows, problems } = readPairs(text, "pairs.jsonl");
        expect(rows.length + problems.length).toBe(filled.length);
      }),
      { numRuns: 100 },
    );
  });
});
