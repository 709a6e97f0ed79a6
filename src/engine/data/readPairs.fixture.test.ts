import { describe, expect, it } from "vitest";
import { hasFixtures, readFixture } from "../testing/fixtures.ts";
import { readPairs } from "./readPairs.ts";

async function read(path: string) {
  return readPairs((await readFixture(`data/${path}`)) ?? new Uint8Array(), path);
}

describe.skipIf(!hasFixtures)("preference files", () => {
  it("leaves out each of the six bad rows with its reason", async () => {
    const { rows, problems } = await read("format-fixtures/bad_rows.jsonl");
    expect(rows).toEqual([]);
    expect(problems.map(({ row, kind }) => [row, kind])).toEqual([
      [1, "identicalPair"],
      [2, "emptyAnswer"],
      [3, "missingColumn"],
      [4, "unknownColumns"],
      [5, "wrongType"],
      [6, "invalidJson"],
    ]);
  });

  it("reads TRL's explicit layouts", async () => {
    const standard = await read("format-fixtures/trl_standard_explicit.jsonl");
    expect(standard.rows).toMatchObject([{ prompt: "The sky is", chosen: " blue.", rejected: " green." }]);
    const conversation = await read("format-fixtures/trl_conversational_explicit.jsonl");
    expect(conversation.problems).toEqual([]);
    expect(conversation.rows).toMatchObject([
      {
        prompt: [{ role: "user", content: "What color is the sky?" }],
        chosen: [{ role: "assistant", content: "It is blue." }],
        rejected: [{ role: "assistant", content: "It is green." }],
      },
    ]);
  });

  it.each([
    ["train", 667],
    ["test", 100],
  ])("reads every row of stories-sentiment %s", async (split, count) => {
    const { rows, problems } = await read(`stories-sentiment/${split}.jsonl`);
    expect(problems).toEqual([]);
    expect(rows).toHaveLength(count);
    for (const { scores } of rows)
      expect((scores?.chosen ?? 0) - (scores?.rejected ?? 0)).toBeGreaterThanOrEqual(0.15 - 1e-9);
  });
});
