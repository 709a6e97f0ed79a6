/**
 * Real sets. The counts of repeated and of nearly identical pairs were found by another program as well: Python, with
 * sets of JSON texts and Levenshtein's whole table over words.
 */
import { describe, expect, it } from "vitest";
import { hasFixtures, readFixture } from "../../testing/fixtures.ts";
import { readDataSet } from "../readDataSet.ts";
import { asRead } from "../steps/setRow.ts";
import { checkSet } from "./checkSet.ts";

/** How many rows every check names, all of them taken as training pairs. */
async function counts(path: string): Promise<Record<string, number>> {
  const bytes = (await readFixture(`data/${path}`)) ?? new Uint8Array();
  const { rows } = await readDataSet([{ name: path.slice(path.lastIndexOf("/") + 1), bytes }]);
  const checked = asRead(rows, [], null).train.map((row) => ({
    ...row,
    split: "train" as const,
    gap: null,
    tokens: null,
  }));
  const work = checkSet(checked, { maxTokens: 512 });
  for (;;) {
    const next = work.next();
    if (next.done !== true) continue;
    return Object.fromEntries(next.value.findings.map(({ check, rows: found }) => [check, found.length]));
  }
}

describe.skipIf(!hasFixtures)("health of real sets", () => {
  it.each([
    ["llamafactory-demo/dpo_en_demo.json", { duplicate: 5, nearIdentical: 1 }],
    ["llamafactory-demo/dpo_zh_demo.json", { duplicate: 11 }],
    ["hh-rlhf-harmless-test/test.jsonl.gz", { nearIdentical: 3 }],
    ["stories-sentiment/train.jsonl", {}],
  ])("%s", async (path, found) => {
    expect(await counts(path)).toEqual(found);
  });
});
