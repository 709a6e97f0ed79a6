import { describe, expect, it } from "vitest";
import { judges } from "../../engine/judges/index.ts";
import { defaultConfig, type RunConfig } from "../../engine/training/config.ts";
import type { OwnModel } from "../keptReference.ts";
import type { LoadedData } from "../library.ts";
import type { JudgeSpec } from "../protocol.ts";
import { chooseJudges, isSameJudge } from "./judgeChoice.ts";
import { judgeProblems, type ProblemParts } from "./judgeProblems.ts";

const owner = { id: "story" } as OwnModel;
/** What problems and choices read of a set. */
const setOf = (change: Partial<LoadedData>, prompt = "Lily fell.") =>
  ({
    id: "kind-endings",
    judge: judges.kindEndings,
    settings: { objective: "" },
    train: [{ row: 0 }],
    trainRows: [{ prompt }],
    ...change,
  }) as LoadedData;
const settingsFor = (objective: string) => ({ objective }) as LoadedData["settings"];
const parts: ProblemParts = { owner, data: setOf({}), rewardProblem: () => "", hasEndpoint: true };
const online: RunConfig = { ...defaultConfig, rounds: 3 };
const only = (judge: JudgeSpec) => [{ judge, weight: 1 }];
const own: JudgeSpec = { kind: "program", id: "kindEndings" };
const words: JudgeSpec = { kind: "words", liked: ["happy"], disliked: [] };

describe("chooseJudges", () => {
  const choose = (config: Partial<RunConfig>, data: Partial<LoadedData> = {}, model = "story") =>
    chooseJudges({ ...online, ...config }, { owner: { id: model }, data: setOf(data) });

  it("takes the reward model of the embedded set's objective, and keeps its program aside", () => {
    expect(choose({})).toEqual({ judges: only({ kind: "rewardModel", id: "story-kind" }), heldout: own });
    const helpful = { id: "helpful-harmless", judge: judges.harmless };
    const found = (objective: string) =>
      choose({}, { ...helpful, settings: settingsFor(objective) }).judges[0]?.judge;
    expect(found("harmless")).toEqual({ kind: "rewardModel", id: "story-harmless" });
    expect(found("")).toEqual({ kind: "rewardModel", id: "story-helpful" });
  });

  it("takes the set's own program on another model, and then keeps none aside", () => {
    expect(choose({}, {}, "local")).toEqual({ judges: only(own), heldout: null });
    expect(choose({}, { id: "local", judge: null })).toEqual({ judges: [], heldout: null });
  });

  it("takes what is asked for, without those of weight 0", () => {
    const asked = { judges: [...only(words), { judge: own, weight: 0 }] };
    expect(choose(asked)).toEqual({ judges: only(words), heldout: own });
    expect(choose({ judges: [...only(own), ...only(words)] }).heldout).toBeNull();
    expect(choose({ ...asked, heldoutJudge: { kind: "length", words: 5 } }).heldout).toEqual({
      kind: "length",
      words: 5,
    });
  });

  it("tells judges apart by their settings, in whatever order they stand", () => {
    expect(isSameJudge(words, { disliked: [], liked: ["happy"], kind: "words" })).toBe(true);
    expect(isSameJudge(words, { ...words, liked: ["sad"] })).toBe(false);
  });
});

describe("judgeProblems", () => {
  const said = (config: Partial<RunConfig>, more: Partial<ProblemParts> = {}) =>
    judgeProblems({ ...online, ...config }, { ...parts, ...more }).map(
      ({ field, message }) => `${field}: ${message}`,
    );

  it("has nothing to say of the defaults, and of a run without rounds", () => {
    expect(said({})).toEqual([]);
    expect(said({ rounds: 0, judges: only({ kind: "program", id: "none" }) })).toEqual([]);
  });

  it.each([
    [{ kind: "program", id: "none" }, 'There is no judge "none"'],
    [{ kind: "program", id: "constructor" }, 'There is no judge "constructor"'],
    [{ kind: "words", liked: [" "], disliked: [] }, "has no word to count"],
    [{ kind: "contains", wanted: [], avoided: [] }, "has no text to look for"],
    [{ kind: "pattern", pattern: "" }, "write a regular expression"],
    [{ kind: "pattern", pattern: "(a" }, "no regular expression that can be searched"],
    [{ kind: "pattern", pattern: "(?=a)" }, "looks ahead or back"],
    [{ kind: "rewardModel", id: "gone" }, "no reward model gone"],
    [{ kind: "endpoint" }, "no address yet"],
  ] as const)("names what %o lacks, among the judges and aside", (given, sentence) => {
    const judge = given as JudgeSpec;
    const more = {
      rewardProblem: (id: string) => (id === "gone" ? `no reward model ${id}` : ""),
      hasEndpoint: false,
    };
    expect(said({ judges: only(judge) }, more)).toEqual([expect.stringContaining(sentence)]);
    expect(said({ judges: only(judge) }, more)[0]).toMatch(/^judges: /);
    const aside = said({ judges: only({ kind: "length", words: 9 }), heldoutJudge: judge }, more);
    expect(aside).toEqual([expect.stringContaining(sentence)]);
    expect(aside[0]).toMatch(/^heldoutJudge: /);
  });

  it("lets a person and the policy judge, but no person aside", () => {
    expect(said({ judges: [...only({ kind: "person" }), ...only({ kind: "implicit" })] })).toEqual([]);
    expect(said({ heldoutJudge: { kind: "person" } })).toEqual([
      expect.stringMatching(/^heldoutJudge: You cannot be/),
    ]);
  });

  it("wants a judge aside that no round chooses by", () => {
    const both = { judges: only(words), heldoutJudge: words };
    expect(said(both)).toEqual([expect.stringMatching(/^heldoutJudge: .*also one that rounds choose by/)]);
    expect(said({ ...both, judges: [{ judge: words, weight: 0 }, ...only(own)] })).toEqual([]);
    // Also where the judges are the usual ones.
    expect(said({ heldoutJudge: { kind: "rewardModel", id: "story-kind" } })).toHaveLength(1);
  });

  it("wants a judge that counts", () => {
    expect(said({ judges: [{ judge: own, weight: 0 }] })).toEqual([
      expect.stringMatching(/^judges: Every judge has the weight 0/),
    ]);
    expect(said({}, { data: setOf({ id: "local", judge: null }) })).toEqual([
      expect.stringMatching(/^judges: This set has no judge of its own/),
    ]);
  });

  it("wants a judge that can tell the untrained policy's answers apart", () => {
    const judges = only({ kind: "implicit" });
    const sentence: unknown = expect.stringMatching(
      /^judges: The policy itself gives every answer the score 0/,
    );
    expect(said({ judges })).toEqual([sentence]);
    expect(said({ judges: [...judges, { judge: words, weight: 0 }] })).toEqual([sentence]);
    expect(said({ judges: [...judges, ...only(words)] })).toEqual([]);
    expect(said({ judges, firstPairs: "data" })).toEqual([]);
  });

  it("wants prompts, and leaves to others what the other settings lack", () => {
    expect(said({ rounds: 61, steps: 60 })).toEqual([]);
    expect(said({ tuning: "full" })).toEqual([]);
    expect(said({}, { data: setOf({}, " ") })).toEqual([
      expect.stringMatching(/^rounds: This set has no prompts/),
    ]);
  });
});
