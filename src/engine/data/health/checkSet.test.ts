import { describe, expect, it, vi } from "vitest";
import { createRandom } from "../random.ts";
import type { HealthCheck } from "../steps/dataStep.ts";
import type { CheckedRow } from "./checkedRow.ts";
import { checkSet, countLengths, type SetHealth } from "./checkSet.ts";
import { wilsonInterval } from "../wilsonInterval.ts";
import { areWithin, wordsOf } from "./words.ts";

const row = (changes: Partial<CheckedRow> = {}): CheckedRow => ({
  place: 0,
  split: "train",
  prompt: "Why is the sky blue?",
  chosen: "Because light is scattered.",
  rejected: "Nobody can say.",
  gap: null,
  tokens: null,
  ...changes,
});
const tokens = (chosen: number, rejected: number, changes = {}) => ({
  chosen,
  rejected,
  isPromptCut: false,
  isAnswerCut: false,
  ...changes,
});

/** Numbers the rows and checks them. */
function check(rows: readonly Partial<CheckedRow>[]): SetHealth {
  const work = checkSet(
    rows.map((changes, place) => row({ place, ...changes })),
    { maxTokens: 128 },
  );
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}

const finding = (rows: readonly Partial<CheckedRow>[], name: HealthCheck) =>
  check(rows).findings.find((found) => found.check === name);

describe("checkSet", () => {
  it("finds nothing in a healthy set", () => {
    const rows = Array.from({ length: 4 }, (_, index) => ({ prompt: `Question ${index}` }));
    expect(check(rows).findings).toEqual([]);
    expect(check([])).toMatchObject({ findings: [], longerChosenShare: 0.5 });
  });

  it("finds answers of which nine words in ten agree, whatever their case and punctuation", () => {
    const ten = "one two three four five six seven eight nine ten";
    const found = finding(
      [
        { chosen: ten, rejected: ten.replace("ten", "eleven") },
        { chosen: ten, rejected: ten.replace("nine ten", "ten eleven") },
        { chosen: "It is blue.", rejected: "it is blue" },
        { chosen: "天空是蓝色的因为光被散射", rejected: "天空是蓝色的因为光会散射" },
        { chosen: "天空是蓝色的", rejected: "天空是绿色的" },
        { chosen: "!!!", rejected: "???" },
        {
          chosen: [{ role: "assistant", content: "Yes" }],
          rejected: [{ role: "assistant", content: "yes!" }],
        },
      ],
      "nearIdentical",
    );
    expect(found?.rows).toEqual([0, 2, 3, 6]);
    expect(found?.sentence).toMatch(/^4 pairs have two answers of which at least nine words in ten agree/);
    expect(found?.isFixable).toBe(true);
  });

  it("names what repeats an earlier pair of its split, the first staying", () => {
    const other = { rejected: "I can." };
    const found = finding([{}, other, {}, { split: "heldout" }, {}], "duplicate");
    expect(found?.rows).toEqual([2, 4]);
    const chat = [{ role: "user" as const, content: "Hi" }];
    expect(finding([{ prompt: chat }, { prompt: "Hi" }], "duplicate")).toBeUndefined();
    expect(finding([{}, { rejectedPrompt: "Other?" }], "duplicate")).toBeUndefined();
  });

  it("names all pairs that contradict one another", () => {
    const turned = { chosen: "Nobody can say.", rejected: "Because light is scattered." };
    expect(finding([{}, { prompt: "Other?", ...turned }, turned, {}], "conflict")?.rows).toEqual([0, 2, 3]);
  });

  it("names training pairs whose prompt is held out, word for word or nearly", () => {
    const found = finding(
      [
        {},
        { prompt: "why is the  sky BLUE" },
        { prompt: "Why is the sea blue?" },
        { prompt: "???" },
        { split: "heldout" },
        { split: "heldout", prompt: "!!!" },
      ],
      "leakage",
    );
    expect(found?.rows).toEqual([0, 1]);
    expect(found?.sentence).toContain("(1 word for word, 1 but for case, spaces and punctuation)");
  });

  it("tells what was cut, and equal scores", () => {
    const rows = [
      { tokens: tokens(4, 4, { isPromptCut: true }), gap: 0.5 },
      { tokens: tokens(4, 4, { isPromptCut: true, isAnswerCut: true }), gap: 0 },
      { tokens: tokens(4, 4), gap: null },
    ];
    expect(finding(rows, "truncated")?.rows).toEqual([0, 1]);
    expect(finding(rows, "truncated")?.sentence).toMatch(
      /^2 pairs are longer than 128 tokens and cut: 2 of the prompts lost their beginning, 1 of the pairs an answer's end/,
    );
    expect(finding(rows, "equalScores")?.rows).toEqual([1]);
  });

  it("finds a length bias where the interval of the share leaves out one half", () => {
    const rows = (longer: number, shorter: number, ties = 0) => [
      ...Array.from({ length: longer }, () => ({ tokens: tokens(5, 3) })),
      ...Array.from({ length: shorter }, () => ({ tokens: tokens(3, 5) })),
      ...Array.from({ length: ties }, () => ({ tokens: tokens(4, 4) })),
    ];
    // By hand: (0.6 + 3.8415/200 ± 1.96 √(0.24/100 + 3.8415/40000)) / (1 + 3.8415/100) = 0.502 and 0.691.
    const [low, high] = wilsonInterval(0.6, 100);
    expect(low).toBeCloseTo(0.502, 3);
    expect(high).toBeCloseTo(0.6906, 3);
    expect(finding(rows(60, 40), "longerChosen")).toMatchObject({ isFixable: false });
    expect(finding(rows(60, 40), "longerChosen")?.rows).toHaveLength(60);
    expect(finding(rows(60, 40), "longerChosen")?.sentence).toContain("60.0 % of 100 pairs");
    expect(finding(rows(59, 41), "longerChosen")).toBeUndefined();
    expect(finding(rows(10, 30), "longerChosen")?.sentence).toContain("the shorter one in 75.0 %");
    expect(check(rows(3, 1, 4)).longerChosenShare).toBe(0.625);
    // Rows with one answer have no longer one.
    const single = Array.from({ length: 9 }, () => ({ rejected: "", tokens: tokens(5, 0) }));
    const mixed = [...single, ...rows(1, 1)];
    expect([check(mixed).longerChosenShare, finding(mixed, "longerChosen")]).toEqual([0.5, undefined]);
  });

  it("counts lengths in ranges that hold the longest", () => {
    const { edges, chosen, rejected } = countLengths([
      row({ tokens: tokens(1, 47) }),
      row({ tokens: tokens(1, 2) }),
      row({ tokens: tokens(3, 0) }),
      row(),
    ]);
    // 48 lengths in 24 ranges of 2.
    expect([edges.length, edges[1], edges.at(-1)]).toEqual([25, 2, 48]);
    expect([chosen[0], rejected[1], rejected[23]]).toEqual([2, 1, 1]);
    expect([...chosen, ...rejected].reduce((sum, count) => sum + count, 0)).toBe(5);
  });
});

describe("areWithin", () => {
  /** Levenshtein over the whole table. */
  function distance(first: readonly string[], second: readonly string[]): number {
    const table = Array.from({ length: first.length + 1 }, (_, i) => [i]);
    for (let j = 1; j <= second.length; j++) table[0]![j] = j;
    for (let i = 1; i <= first.length; i++) {
      for (let j = 1; j <= second.length; j++) {
        const replaced = table[i - 1]![j - 1]! + Number(first[i - 1] !== second[j - 1]);
        table[i]![j] = Math.min(replaced, table[i - 1]![j]! + 1, table[i]![j - 1]! + 1);
      }
    }
    return table[first.length]![second.length]!;
  }

  it("agrees with the whole table on random lists", () => {
    const random = createRandom(3);
    for (let trial = 0; trial < 2000; trial++) {
      const list = () => Array.from({ length: random.integer(9) }, () => "abc"[random.integer(3)]!);
      const first = list();
      // Half of the lists are near: one word taken out, one changed.
      const near = () => first.toSpliced(random.integer(9), 1).with(0, "c");
      const second = trial % 2 === 0 || first.length < 3 ? list() : near();
      const apart = distance(first, second);
      for (const limit of [0, 1, 2, 3, 9]) {
        expect(areWithin(first, second, limit), `${first.join("")} ${second.join("")} ${limit}`).toBe(
          apart <= limit,
        );
      }
    }
  });
});

describe("the work of a check", () => {
  /** Rows whose texts count how often they are read; half of the prompts are alike. */
  function workOf(count: number): number {
    let work = 0;
    const rows = Array.from({ length: count }, (_, place) => {
      const known = row({
        place,
        split: place % 5 === 0 ? "heldout" : "train",
        prompt: `Question ${place % (count / 2)}`,
        chosen: `Answer ${place % 7} with some words`,
        gap: place,
        tokens: tokens(place % 9, 4),
      });
      return new Proxy(known, {
        get: (target, name: keyof CheckedRow) => {
          work++;
          return target[name];
        },
      });
    });
    const spies = [
      vi.spyOn(Map.prototype, "get"),
      vi.spyOn(Set.prototype, "has"),
      vi.spyOn(String.prototype, "match"),
    ];
    for (const spy of spies) spy.mockClear();
    const health = checkSet(rows, { maxTokens: 8 });
    while (health.next().done !== true);
    work += spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
    for (const spy of spies) spy.mockRestore();
    return work;
  }

  it("doubles with the pairs", () => {
    const [once, twice] = [workOf(300), workOf(600)];
    expect(twice / once).toBeGreaterThan(1.9);
    expect(twice / once).toBeLessThan(2.1);
    // A few looks at every pair, where comparing all with all would take hundreds.
    expect(once / 300).toBeLessThan(60);
  });

  it("lets others have their turn", () => {
    const rows = Array.from({ length: 640 }, (_, place) => row({ place, prompt: `Question ${place}` }));
    expect([...checkSet(rows, { maxTokens: 8 })].length).toBeGreaterThan(40);
  });
});

describe("wordsOf", () => {
  it("takes runs of letters, and characters of scripts without spaces", () => {
    expect(wordsOf("It's 3 o'clock: 天空!")).toEqual(["it", "s", "3", "o", "clock", "天", "空"]);
    expect(wordsOf("Привет, мир")).toEqual(["привет", "мир"]);
  });
});
