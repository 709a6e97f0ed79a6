import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDataSet } from "./readDataSet.ts";
import type { PairRow } from "./row.ts";
import { writePairs } from "./writePairs.ts";

const source = { file: "", row: 0 };
const messages = (role: string, content: string) => [{ role, content }];

/** What is written, read again; where rows came from is not written. */
async function reread(rows: readonly PairRow[]) {
  const files = writePairs(rows).map(({ suffix, text }) => ({
    name: `train${suffix}.jsonl`,
    bytes: new TextEncoder().encode(text),
  }));
  const sets = await Promise.all(files.map((file) => readDataSet([file])));
  return {
    problems: sets.flatMap(({ problems }) => problems),
    rows: sets.flatMap((set) => set.rows.map((row) => ({ ...row, source }))),
    unpaired: sets.flatMap(({ unpaired }) => unpaired),
  };
}

describe("writePairs", () => {
  it("writes pairs of texts and of messages that read back as they were", async () => {
    const words = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((text) => text.trim() !== "");
    const number = fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((value) => value + 0);
    const extras = fc.record(
      {
        scores: fc
          .record({ chosen: number, rejected: number })
          .filter(({ chosen, rejected }) => chosen !== rejected),
        weight: fc.double({ noNaN: true, min: 0, max: 9 }),
        objective: words,
      },
      { requiredKeys: [] },
    );
    const pair = fc
      .record({ prompt: words, chosen: words, rejected: words, isChat: fc.boolean(), extras })
      .filter(({ chosen, rejected }) => chosen !== rejected)
      .map(({ prompt, chosen, rejected, isChat, extras: more }): PairRow => {
        const texts = isChat
          ? {
              prompt: messages("user", prompt),
              chosen: messages("assistant", chosen),
              rejected: messages("assistant", rejected),
            }
          : { prompt, chosen, rejected };
        return { ...texts, ...more, source };
      });
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 4 }), async (rows) => {
        expect(await reread(rows)).toEqual({ problems: [], rows, unpaired: [] });
      }),
      { numRuns: 200 },
    );
  });

  it("gives rows of other kinds files of their own", async () => {
    const single: PairRow = { prompt: "the sky", chosen: " is blue", rejected: "", isSingle: true, source };
    const transcript: PairRow = {
      prompt: [...messages("user", "Why?"), ...messages("assistant", "So."), ...messages("user", " Really?")],
      chosen: messages("assistant", "Yes: light."),
      rejected: messages("assistant", " No."),
      isTranscript: true,
      source,
    };
    const labelled: PairRow = { prompt: "a?", chosen: "A", rejected: "B", rejectedPrompt: "b?", source };
    expect(writePairs([single, transcript, labelled]).map(({ suffix }) => suffix)).toEqual([
      "-labelled",
      "-single",
      "-transcripts",
    ]);
    expect((await reread([single])).rows).toEqual([single]);
    expect((await reread([transcript])).rows).toEqual([transcript]);
    expect((await reread([labelled])).unpaired).toMatchObject([
      { prompt: "a?", completion: "A", isGood: true },
      { prompt: "b?", completion: "B", isGood: false },
    ]);
  });
});
