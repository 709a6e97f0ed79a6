import { describe, expect, it } from "vitest";
import { PatternError } from "../search/patternProgram.ts";
import type { JudgedAnswer } from "./answerJudge.ts";
import { judges } from "./index.ts";
import { judgeCards } from "./judgeCards.ts";
import { judgeSpecSchema } from "./judgeSpec.ts";
import { builtInKey, isProgramSpec, programJudge, scoringJudge, type ProgramSpec } from "./programJudge.ts";

const signal = new AbortController().signal;
const judged = (answer: string, prompt = "Lily fell."): JudgedAnswer => ({
  prompt,
  answer,
  promptIds: new Int32Array(),
  answerIds: new Int32Array(),
});
const scores = async (spec: ProgramSpec, answers: readonly string[]) => {
  const verdicts = await programJudge(spec).score(
    answers.map((answer) => judged(answer)),
    signal,
  );
  return verdicts.map((verdict) => ("score" in verdict ? verdict.score : verdict.reason));
};

describe("words", () => {
  const spec = { kind: "words", liked: ["happy", "best friend", "!"], disliked: ["sad"] } as const;

  it("counts every time an entry stands there as a whole, without a cap", async () => {
    const answers = [
      "They were happy.", // 1
      "Happy, HAPPY and sad.", // 2 − 1
      "unhappy sadness", // no whole word
      "Her best\n friend! The best of friends!", // 1 phrase, 2 marks
      "", // nothing
      "happy ".repeat(500),
    ];
    const given = { ...spec, liked: [...spec.liked], disliked: [...spec.disliked] };
    expect(await scores(given, answers)).toEqual([1, 1, 0, 3, 0, 500]);
  });

  it("knows words of any script, and one apostrophe from the other no more", async () => {
    const given = { kind: "words", liked: ["рад", "don't"], disliked: [] } satisfies ProgramSpec;
    expect(await scores(given, ["Он РАД, она рада.", "I don’t, I don't."])).toEqual([1, 2]);
  });

  it("counts phrases where they overlap, and entries of white space nowhere", async () => {
    const given = { kind: "words", liked: ["ha ha", " "], disliked: [] } satisfies ProgramSpec;
    expect(await scores(given, ["ha ha ha"])).toEqual([2]);
  });
});

describe("length", () => {
  it("falls by 1 for every halving and doubling, down to −1", async () => {
    const words = (count: number) => "a ".repeat(count);
    // log₂ of 8/8, 4/8, 16/8, 2/8, 32/8, 64/8, 0/8, and of "It's a boat." with 3/8.
    const answers = [8, 4, 16, 2, 32, 64, 0].map(words);
    expect(await scores({ kind: "length", words: 8 }, answers)).toEqual([1, 0, 0, -1, -1, -1, -1]);
    const [boat] = await scores({ kind: "length", words: 8 }, ["It's a boat."]);
    expect(boat).toBeCloseTo(1 + Math.log2(3 / 8), 12);
  });
});

describe("pattern", () => {
  it("is 1 where it matches", async () => {
    const spec = { kind: "pattern", pattern: "/the end\\.$/i" } satisfies ProgramSpec;
    expect(await scores(spec, ["It is The End.", "the end. Or not", ""])).toEqual([1, 0, 0]);
    expect(await scores({ kind: "pattern", pattern: "^a+$" }, ["aaa", "aab"])).toEqual([1, 0]);
  });

  it("takes time linear in the answer where backtracking would take for ever", async () => {
    const spec = { kind: "pattern", pattern: "^(?:(a+)+|b)*(a|aa)+$" } satisfies ProgramSpec;
    expect(await scores(spec, [`${"a".repeat(20_000)}!`])).toEqual([0]);
  });

  it("refuses a pattern that cannot be run", () => {
    expect(() => programJudge({ kind: "pattern", pattern: "(a" })).toThrow(PatternError);
  });
});

describe("contains", () => {
  it("is the share of what is wanted minus the share of what is not", async () => {
    const spec = {
      kind: "contains",
      wanted: ["Ball", "park", "x"],
      avoided: ["sad", "mad"],
    } satisfies ProgramSpec;
    const answers = ["The ball in the park", "ball, sad and mad", "", "sadness"];
    const [first, second, ...others] = await scores(spec, answers);
    expect(first).toBeCloseTo(2 / 3, 12);
    expect(second).toBeCloseTo(1 / 3 - 1, 12);
    expect(others).toEqual([0, -0.5]);
    expect(await scores({ kind: "contains", wanted: [], avoided: [] }, ["any"])).toEqual([0]);
  });
});

describe("built-in programs", () => {
  it("score as they do elsewhere", async () => {
    const answer = "Ben hugged Mia and shared his toys.";
    for (const [id, judge] of Object.entries(judges)) {
      expect(await scores({ kind: "program", id }, [answer])).toEqual([judge.score("Lily fell.", answer)]);
      expect(programJudge({ kind: "program", id }).label).toBe(judge.label);
      expect(builtInKey(judge)).toBe(id);
    }
  });

  it("refuse a name that nobody has", () => {
    expect(() => programJudge({ kind: "program", id: "toString" })).toThrow('There is no judge "toString".');
  });

  it("lose the answers that they throw at, and keep the others", async () => {
    const judge = scoringJudge({ kind: "implicit" }, "Picky", ({ answer }) => {
      if (answer === "b") throw new Error('"b" is beneath me.');
      return answer === "c" ? NaN : answer.length;
    });
    expect(
      await judge.score(
        ["a", "b", "c", "dd"].map((answer) => judged(answer)),
        signal,
      ),
    ).toEqual([
      { score: 1 },
      { reason: '"b" is beneath me.' },
      { reason: "The judge gave NaN in place of a score." },
      { score: 2 },
    ]);
  });
});

describe("cards", () => {
  it("are there once for every kind of judge, with a spec of that kind and a field for each of its settings", () => {
    const kinds = judgeSpecSchema.def.options.map((option) => option.shape.kind.def.values[0]);
    expect(judgeCards).toHaveLength(kinds.length);
    expect(new Set(judgeCards.map(({ kind }) => kind))).toEqual(new Set(kinds));
    const programs = judgeCards.map(({ initial }) => initial).filter(isProgramSpec);
    expect(programs.map((spec) => programJudge(spec).spec)).toEqual(programs);
    expect(programs).toHaveLength(5);
    for (const { kind, initial, fields, help, label } of judgeCards) {
      const { kind: own, ...settings } = judgeSpecSchema.parse(initial);
      expect(own).toBe(kind);
      expect(fields.map(({ key }) => key)).toEqual(Object.keys(settings));
      expect(label.length * help.length).toBeGreaterThan(0);
    }
  });

  it("say that the words can be gamed, and what leaves the machine", () => {
    const cardOf = (kind: string) => judgeCards.find((card) => card.kind === kind);
    expect(cardOf("words")?.help).toMatch(/no cap.*gamed/);
    expect(cardOf("endpoint")?.needs).toMatch(/leaves this machine/);
  });
});
