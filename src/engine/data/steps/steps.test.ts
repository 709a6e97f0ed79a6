/** Each step by worked examples. */
import { describe, expect, it } from "vitest";
import type { PairRow } from "../row.ts";
import { applySteps } from "./applySteps.ts";
import type { DataStep } from "./dataStep.ts";
import { editDistance } from "./editDistance.ts";
import { goalPrefix } from "./relabel.ts";
import { asRead, gapOf } from "./setRow.ts";
import { numberedRows, numberedSet, numberJudge, testContext } from "./steps.testing.ts";

const run = (set: Parameters<typeof applySteps>[0], step: DataStep, context = testContext()) =>
  applySteps(set, [step], context);
const placesOf = (rows: readonly { place: number }[]) => rows.map(({ place }) => place);

describe("subset", () => {
  it("takes the pairs at the ends of what they are sorted by, in their own order", async () => {
    const take = async (by: "largestGap" | "smallestGap" | "shortest") =>
      placesOf((await run(numberedSet(12), { kind: "subset", pairs: 3, by, seed: 4 })).set.train);
    // The gap of place p is p; answers of two digits are longer than those of one.
    expect(await take("largestGap")).toEqual([9, 10, 11]);
    expect(await take("smallestGap")).toEqual([0, 1, 2]);
    expect((await take("shortest")).every((place) => place < 5)).toBe(true);
  });

  it("draws other pairs with another seed, and as many", async () => {
    const draw = async (seed: number) =>
      placesOf((await run(numberedSet(50), { kind: "subset", pairs: 20, by: "random", seed })).set.train);
    const first = await draw(1);
    expect(first).toHaveLength(20);
    expect(await draw(2)).not.toEqual(first);
    expect(first.toSorted((a, b) => a - b)).toEqual(first);
  });

  it("refuses to sort by gaps that are not there", async () => {
    const step: DataStep = { kind: "subset", pairs: 2, by: "largestGap", seed: 0 };
    await expect(run(numberedSet(4, null), step)).rejects.toThrow(
      "4 of 4 training pairs have neither scores",
    );
  });
});

describe("select", () => {
  const angles = [0, 10, 90, 5, 180];
  const embed = (texts: readonly string[]) =>
    Promise.resolve(
      texts.map((text) => {
        const turn = ((angles[Number(/\d+/.exec(text)?.[0])] ?? 0) * Math.PI) / 180;
        return Float32Array.of(3 * Math.cos(turn), 3 * Math.sin(turn));
      }),
    );
  const context = testContext({ embed });

  it("goes by score, and past what is too much like something kept", async () => {
    // Scores 8, 6, 4, 2, 0 of places 4, 3, 2, 1, 0 at 180°, 5°, 90°, 10°, 0°; cos 10° = 0.985, cos 5° = 0.996.
    const select = async (pairs: number, similarity: number) =>
      placesOf((await run(numberedSet(5), { kind: "select", pairs, similarity }, context)).set.train);
    expect(await select(3, 0.9)).toEqual([2, 3, 4]);
    expect(await select(2, 1)).toEqual([3, 4]);
    expect(await select(5, 0.9)).toEqual([2, 3, 4]);
    // Kept: 180°, 5°. Then 90° (cos 85° = 0.09) and 10° are too close to 5°.
    expect(await select(5, 0.05)).toEqual([3, 4]);
    const same = testContext({
      embed: (texts) => Promise.resolve(texts.map(() => Float32Array.of(0.1, 0.3, 0.7))),
    });
    const equals = await run(numberedSet(4), { kind: "select", pairs: 3, similarity: 1 }, same);
    expect(placesOf(equals.set.train)).toEqual([1, 2, 3]);
  });

  it("says by what it went, and when there were not enough", async () => {
    const judged = await run(numberedSet(5), { kind: "select", pairs: 4, similarity: 0.9 }, context);
    expect(judged.done[0]?.sentence).toBe(
      "Kept 3 of 5 training pairs by the judge's score of the chosen answer, none more alike than 0.9; 4 were asked for, and every other one is too much like one of these.",
    );
    const scored = numberedRows(2).map((row, index): PairRow => ({
      ...row,
      scores: { chosen: 1, rejected: index },
    }));
    const stated = await run(asRead(scored, [], null), { kind: "select", pairs: 1, similarity: 1 }, context);
    expect(stated.done[0]?.sentence).toContain("by the stated gap");
    expect(placesOf(stated.set.train)).toEqual([0]);
    await expect(
      run(numberedSet(3, null), { kind: "select", pairs: 1, similarity: 1 }, context),
    ).rejects.toThrow("3 of 3 training pairs have neither a judge nor scores");
  });
});

describe("relabel", () => {
  it("writes every pair under both goals, turned around under that of the rejected answer", async () => {
    const { set, done } = await run(numberedSet(3), { kind: "relabel" });
    // Scores 0, 0 of place 0; 2, 1 of place 1; 4, 2 of place 2.
    expect(set.train.map(({ prompt, chosen, scores, place }) => ({ prompt, chosen, scores, place }))).toEqual(
      [
        {
          prompt: `${goalPrefix(2)}question 1`,
          chosen: " answer 2",
          scores: { chosen: 0, rejected: -1 },
          place: 1,
        },
        {
          prompt: `${goalPrefix(1)}question 1`,
          chosen: " reply 1",
          scores: { chosen: 0, rejected: -1 },
          place: 8,
        },
        {
          prompt: `${goalPrefix(4)}question 2`,
          chosen: " answer 4",
          scores: { chosen: 0, rejected: -4 },
          place: 2,
        },
        {
          prompt: `${goalPrefix(2)}question 2`,
          chosen: " reply 2",
          scores: { chosen: 0, rejected: -4 },
          place: 9,
        },
      ],
    );
    expect(done[0]?.sentence).toBe(
      "Wrote 2 training pairs under two goals each: 4 pairs. 1 pair with equal scores is left out.",
    );
    expect(set.train.map(gapOf)).toEqual([1, 1, 4, 4]);
  });

  it("writes the goal before what a person says first", async () => {
    const say = (role: string, content: string) => [{ role, content }];
    const row: PairRow = {
      prompt: [...say("system", "Be brief."), ...say("user", "Why?")],
      chosen: say("assistant", "So 3."),
      rejected: say("assistant", "No 1."),
      source: { file: "chat.jsonl", row: 1 },
    };
    const { set } = await run(asRead([row], [], numberJudge), { kind: "relabel" });
    expect(set.train[1]?.prompt).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: `${goalPrefix(1)}Why?` },
    ]);
  });

  it("refuses rows without a score", async () => {
    await expect(run(numberedSet(2, null), { kind: "relabel" })).rejects.toThrow("2 of 2 training pairs");
  });
});

describe("mix", () => {
  const readSet = () =>
    Promise.resolve({ label: "Others", rows: numberedRows(8, "others.jsonl"), judge: null });
  const step: DataStep = { kind: "mix", data: "others", objective: "", share: 0.3, seed: 5 };

  it("keeps the total, and every row the judge of its own objective", async () => {
    const { set } = await run(numberedSet(20), step, testContext({ readSet }));
    expect(set.train).toHaveLength(20);
    const from = set.train.filter(({ source }) => source.file === "others.jsonl");
    expect(from).toHaveLength(6);
    expect(new Set(from.map(({ source }) => source.row)).size).toBe(6);
    expect(from.every(({ judge }) => judge === null)).toBe(true);
    expect(placesOf(from)).toHaveLength(6);
    expect(placesOf(from).every((place) => place >= 25)).toBe(true);
    const own = set.train.filter(({ judge }) => judge === numberJudge);
    // What stays is where it was.
    expect(own.every((row) => set.train.indexOf(row) === row.place)).toBe(true);
    expect(own).toHaveLength(14);
    const again = await run(numberedSet(20), { ...step, seed: 6 }, testContext({ readSet }));
    const others = again.set.train.filter(({ source }) => source.file === "others.jsonl");
    expect(others.map(({ source }) => source.row)).not.toEqual(from.map(({ source }) => source.row));
    const places = (rows: typeof from, set: typeof again.set) => rows.map((row) => set.train.indexOf(row));
    expect(places(others, again.set)).not.toEqual(places(from, set));
  });

  it("refuses a share that the other set cannot fill", async () => {
    await expect(run(numberedSet(20), { ...step, share: 0.5 }, testContext({ readSet }))).rejects.toThrow(
      '"Others" has 8 training pairs and 10 are asked for: take a share of at most 40 %',
    );
  });
});

describe("flip", () => {
  it("swaps answers and their scores in the share that is asked for", async () => {
    const rows = numberedRows(10).map((row): PairRow => ({ ...row, scores: { chosen: 2, rejected: 1 } }));
    const { set } = await run(asRead(rows, [], null), { kind: "flip", share: 0.4, seed: 3 });
    const swapped = set.train.filter(({ madeBy }) => madeBy === "answers swapped");
    expect(swapped).toHaveLength(4);
    for (const row of swapped) {
      expect(row).toMatchObject({ chosen: rows[row.place]?.rejected, scores: { chosen: 1, rejected: 2 } });
    }
    expect(set.train.filter((row) => gapOf(row) === -1)).toEqual(swapped);
  });

  it("takes the prompts along where answers have one each, and refuses rows with one answer", async () => {
    const row: PairRow = { ...numberedRows(1)[0]!, rejectedPrompt: "another question" };
    const { set } = await run(asRead([row], [], numberJudge), { kind: "flip", share: 1, seed: 3 });
    expect(set.train[0]).toMatchObject({
      prompt: "another question",
      rejectedPrompt: "question 0",
      chosen: " reply 0",
    });
    const single: PairRow = { ...numberedRows(1)[0]!, rejected: "", isSingle: true };
    await expect(run(asRead([single], [], null), { kind: "flip", share: 1, seed: 3 })).rejects.toThrow(
      "1 of 1 training rows have one answer only",
    );
  });
});

describe("revise", () => {
  it("takes a person's text and counts its edits", async () => {
    const scored = numberedRows(2).map((row): PairRow => ({ ...row, scores: { chosen: 2, rejected: 1 } }));
    const { set, done } = await run(asRead(scored, [], numberJudge), {
      kind: "revise",
      row: 1,
      chosen: " answers 7",
    });
    expect(set.train[1]).toMatchObject({ chosen: " answers 7", rejected: " reply 1", madeBy: "revised" });
    // The stated score was of another text; the judge reads this one.
    expect(set.train[1]).not.toHaveProperty("scores");
    expect(set.train.map(gapOf)).toEqual([1, 6]);
    // " answer 2" becomes " answers 7": one letter more and one replaced, in 10 characters.
    expect(done[0]?.sentence).toBe(
      "Revised row 1: 2 edits in 10 tokens of the chosen answer (0.20 per token).",
    );
  });

  it("refuses rows that are not there and answers that are no pair", async () => {
    const revise = (row: number, chosen: string) => run(numberedSet(2), { kind: "revise", row, chosen });
    await expect(revise(9, "new")).rejects.toThrow("Row 9 is to be revised, and it is not in the set");
    await expect(revise(0, " ")).rejects.toThrow("The revised chosen answer of row 0 is empty");
    await expect(revise(0, " reply 0")).rejects.toThrow("both answers of row 0 are the same");
    const single: PairRow = { ...numberedRows(1)[0]!, rejected: "", isSingle: true };
    const alone = asRead([single], [], null);
    await expect(run(alone, { kind: "revise", row: 0, rejected: "new" })).rejects.toThrow("one answer only");
    const { set } = await run(alone, { kind: "revise", row: 0, chosen: "new" });
    expect(set.train).toMatchObject([{ chosen: "new", rejected: "", isSingle: true }]);
  });
});

describe("drop", () => {
  it("leaves out what a check names and nothing else", async () => {
    const rows = numberedRows(6);
    const twice = asRead([...rows.slice(0, 4), ...rows.slice(1, 3)], rows.slice(3), null);
    const duplicates = await run(twice, { kind: "drop", check: "duplicate" });
    expect(placesOf(duplicates.set.train)).toEqual([0, 1, 2, 3]);
    expect(duplicates.done[0]?.sentence).toBe("Left out 2 pairs repeating an earlier one.");
    const leaking = await run(twice, { kind: "drop", check: "leakage" });
    expect(placesOf(leaking.set.train)).toEqual([0, 1, 2, 4, 5]);
    expect(leaking.set.heldout).toEqual(twice.heldout);
    const cut = testContext({
      measure: ({ source }) => ({
        chosen: 1,
        rejected: 1,
        isPromptCut: source.row === 2,
        isAnswerCut: false,
      }),
    });
    expect(placesOf((await run(twice, { kind: "drop", check: "truncated" }, cut)).set.train)).toEqual([
      0, 2, 3, 5,
    ]);
    await expect(run(twice, { kind: "drop", check: "longerChosen" })).rejects.toThrow(
      "leaning of the whole set",
    );
  });
});

describe("editDistance", () => {
  it("counts the textbook's examples", () => {
    const letters = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
    expect(editDistance(letters("kitten"), letters("sitting"))).toBe(3);
    expect(editDistance(letters("sunday"), letters("saturday"))).toBe(3);
    expect([editDistance([], [1, 2]), editDistance([1], []), editDistance([1], [1])]).toEqual([2, 1, 0]);
  });
});
