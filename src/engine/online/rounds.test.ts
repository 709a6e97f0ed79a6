/** Whole online runs: what they draw, what they train on, and who is asked. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model } from "../models/decoder.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { follow, lastOf } from "../training/tinyRun.testing.ts";
import { train, type TrainingReport } from "../training/train.ts";
import { followOnline, functionJudge, meanId, onlineRun, tinyPrompts } from "./onlineRun.testing.ts";
import type { PromptOutcome, RoundRecord } from "./roundRecord.ts";
import { EmptyRoundError } from "./emptyRound.ts";
import { stepsBefore } from "./rounds.ts";
import { promptKeys, promptsToDraw } from "./selection.ts";

vi.setConfig({ testTimeout: 30_000 });

let tiny: ReturnType<typeof createTinyModel>;
let model: Model;

beforeEach(async () => {
  await openTestDevice("cpu");
  tiny = createTinyModel();
  ({ model } = tiny);
});

afterEach(() => {
  tiny.dispose();
});

/** Rounds as they were told when their steps were taken. */
const over = (rounds: readonly RoundRecord[]) => rounds.filter(({ isOver }) => isOver);
const pairsOf = (rounds: readonly RoundRecord[]) => over(rounds).map(({ prompts }) => prompts);

describe("the rounds of a run", () => {
  it("begin after ⌊round · steps / rounds⌋ steps", () => {
    const config = { steps: 7, rounds: 3 };
    expect([0, 1, 2, 3].map((round) => stepsBefore(round, config))).toEqual([0, 2, 4, 7]);
  });

  it("draw every prompt exactly once each where all are drawn anew", async () => {
    const judge = functionJudge(meanId);
    const setup = { judges: [{ judge, weight: 1 }], heldoutPrompts: [] };
    const run = onlineRun(model, { regeneratedShare: 1, steps: 7 }, setup);
    const { rounds, steps, isLast } = await followOnline(run);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(rounds.map(({ round, step, isOver }) => [round, step, isOver])).toEqual([
      [0, 0, false],
      [0, 0, true],
      [1, 2, false],
      [1, 2, true],
      [2, 4, false],
      [2, 4, true],
    ]);
    for (const { prompts, metrics, savedTokens } of rounds) {
      expect(prompts.every(({ isRegenerated }) => isRegenerated)).toBe(true);
      expect(metrics["online/regenerated_share"]).toBe(1);
      expect(savedTokens).toBe(0);
    }
    const once = run.online.prompts.flatMap(({ text }) => [text, text, text]);
    expect(judge.asked.map(({ prompt }) => prompt)).toEqual([...once, ...once, ...once]);
    const tokens = judge.asked.reduce((sum, { answerIds }) => sum + answerIds.length, 0);
    expect(over(rounds).reduce((sum, { generatedTokens }) => sum + generatedTokens, 0)).toBe(tokens);
    expect(isLast).toBe(true);
  });

  it("are the offline run where no prompt is drawn anew", async () => {
    const changes = {
      regeneratedShare: 0,
      firstPairs: "data",
      onlineReference: "initial",
      steps: 7,
    } as const;
    const online = onlineRun(model, changes);
    const { online: _rounds, ...offline } = onlineRun(model, changes);
    const found = await followOnline(online);
    const expected = await follow(offline);
    expect(found.steps.map(({ metrics }) => metrics)).toEqual(expected.steps);
    expect(found.tensors).toEqual(lastOf(expected));
  });

  it("draw the lowest-ranked half anew and leave the others as they are", async () => {
    const { rounds } = await followOnline(onlineRun(model, { regeneratedShare: 0.5 }));
    const [first = [], second = [], third = []] = pairsOf(rounds);
    for (const [before, after, round] of [
      [first, second, 1],
      [second, third, 2],
    ] as const) {
      const keys = promptKeys(
        before.map(({ now }) => now),
        { rankingKey: "mean", baselines: null },
      );
      const settings = { selection: "lowest", regeneratedShare: 0.5, seed: 7 } as const;
      const expected = promptsToDraw(keys, settings, round);
      const drawn = [...after.keys()].filter((prompt) => after[prompt]?.isRegenerated);
      expect(drawn).toEqual(expected);
      expect(drawn).toHaveLength(2);
      expect(after.map(({ before: own }) => own)).toEqual(before.map(({ now }) => now));
      const isDrawn = ({ isRegenerated }: PromptOutcome) => isRegenerated;
      expect(after.filter(isDrawn).map(({ now }) => now?.drawnIn)).toEqual([round, round]);
      const left = after.filter((outcome) => !isDrawn(outcome));
      expect(left.map(({ now }) => now)).toEqual(left.map((outcome) => outcome.before));
    }
    // Two prompts of 3 answers of 4 tokens or fewer are left each time.
    const last = over(rounds).at(-1);
    expect((last?.savedTokens ?? 0) + (last?.generatedTokens ?? 0)).toBeGreaterThan(24);
    expect(last?.savedTokens).toBeLessThanOrEqual(24);
  });

  it("rank by how far a prompt has come since its first pair where that is the baseline", async () => {
    const changes = { hasPromptBaseline: true, rankingKey: "worst" } as const;
    const { rounds } = await followOnline(onlineRun(model, changes, { heldoutPrompts: [] }));
    const [first = [], second = [], third = []] = pairsOf(rounds);
    const drawn = (prompts: readonly PromptOutcome[]) =>
      [...prompts.keys()].filter((prompt) => prompts[prompt]?.isRegenerated);
    // Nothing has come anywhere yet: all are equal.
    expect(drawn(second)).toEqual([0, 1]);
    const keyOf = (prompts: readonly PromptOutcome[], prompt: number) =>
      prompts[prompt]?.now?.rejectedScore ?? NaN;
    const gains = first.map((_, prompt) => keyOf(second, prompt) - keyOf(first, prompt));
    const settings = { selection: "lowest", regeneratedShare: 0.5, seed: 7 } as const;
    expect(drawn(third)).toEqual(promptsToDraw(gains, settings, 2));
  });

  it("train on the very pairs of their records: same seed, same pairs; another seed, others", async () => {
    const first = await followOnline(onlineRun(model));
    const again = await followOnline(onlineRun(model));
    const other = await followOnline(onlineRun(model, { seed: 8 }));
    expect(again).toEqual(first);
    expect(pairsOf(other.rounds)).not.toEqual(pairsOf(first.rounds));
  });

  it("draw other answers each time, even of a policy that stands still", async () => {
    const { rounds } = await followOnline(
      onlineRun(model, { regeneratedShare: 1, learningRate: 0 }, { heldoutPrompts: [] }),
    );
    const [first, second, third] = pairsOf(rounds).map((prompts) => prompts.map(({ now }) => now?.chosen));
    expect(second).not.toEqual(first);
    expect(third).not.toEqual(second);
  });

  it("give an answer its random numbers by round, prompt and place alone", async () => {
    const three = await followOnline(onlineRun(model, { answersPerPrompt: 3, rounds: 1 }));
    const judge = functionJudge(meanId);
    const run = onlineRun(
      model,
      { answersPerPrompt: 4, rounds: 1 },
      { judges: [{ judge, weight: 1 }], heldoutPrompts: [] },
    );
    await followOnline(run);
    const texts = judge.asked.map(({ answer }) => answer);
    for (const [prompt, outcome] of (pairsOf(three.rounds)[0] ?? []).entries()) {
      expect(texts.slice(4 * prompt, 4 * prompt + 3)).toContain(outcome.now?.chosen);
    }
  });

  it("start with the set's own pairs, scored, where they are to", async () => {
    const changes = { firstPairs: "data", regeneratedShare: 1 } as const;
    const { rounds } = await followOnline(onlineRun(model, changes));
    const [first = [], second = []] = pairsOf(rounds);
    expect(first.map(({ now }) => now?.chosen)).toEqual(tinyPrompts(4).map(({ chosen }) => chosen));
    expect(first.map(({ now }) => now?.chosenScore)).toEqual(
      tinyPrompts(4).map(({ chosen }) => meanId({ answer: chosen })),
    );
    expect(first.every(({ isRegenerated, now }) => !isRegenerated && now?.drawnIn === -1)).toBe(true);
    expect(rounds[0]?.generatedTokens).toBe(0);
    expect(second.every(({ isRegenerated }) => isRegenerated)).toBe(true);
  });
});

describe("the reference of a round", () => {
  const ratios = (steps: readonly { readonly metrics: Record<string, number> }[]) =>
    steps.map(({ metrics }) => metrics["margins/logratio"]);

  it.each(["cached", "live"] as const)("is the policy at its start, exactly (%s)", async (referenceMode) => {
    const { steps } = await followOnline(onlineRun(model, { referenceMode }));
    expect(ratios(steps).map((ratio) => ratio === 0)).toEqual([true, false, true, false, true, false]);
  });

  it("stays the model that the run started from where it is to", async () => {
    const { steps } = await followOnline(onlineRun(model, { onlineReference: "initial" }));
    expect(ratios(steps).map((ratio) => ratio === 0)).toEqual([true, false, false, false, false, false]);
  });

  it("is remembered the same as it is computed within the steps", async () => {
    const cached = await followOnline(onlineRun(model, { referenceMode: "cached" }));
    const live = await followOnline(onlineRun(model, { referenceMode: "live" }));
    expect(live.tensors).toEqual(cached.tensors);
  });
});

it("weighs the pairs of rounds by their judges, also where the set's own pairs have no scores", async () => {
  const changes = { method: "wdpo", regeneratedShare: 1, rounds: 1, steps: 1, batchPairs: 4 } as const;
  const { rounds, steps, isLast } = await followOnline(onlineRun(model, changes));
  const gaps = (pairsOf(rounds)[0] ?? []).map(
    ({ now }) => (now?.chosenScore ?? NaN) - (now?.rejectedScore ?? NaN),
  );
  // w = σ(β₂ · gap) with β₂ = 4; the step reads all four pairs once.
  const weights = gaps.map((gap) => 1 / (1 + Math.exp(-4 * gap)));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  expect(rounds.at(-1)?.metrics["weights/mean"]).toBeCloseTo(mean, 12);
  expect(steps[0]?.metrics["weights/mean"]).toBeCloseTo(mean, 12);
  expect(isLast).toBe(true);
});

describe("what cannot be trained in rounds", () => {
  it.each([
    [{ tuning: "full" }, "keep the reference where the run started, or train an adapter"],
    [{ steps: 2 }, "2 steps for 3 rounds"],
  ] as const)("is refused: %j", async (changes, message) => {
    await expect(followOnline(onlineRun(model, changes))).rejects.toThrow(message);
    expect(
      (await followOnline(onlineRun(model, { ...changes, steps: 3, onlineReference: "initial" }))).isLast,
    ).toBe(true);
  });

  it("is a round without a pair", async () => {
    const judge = functionJudge(() => 1);
    const failed = followOnline(onlineRun(model, {}, { judges: [{ judge, weight: 1 }] }));
    await expect(failed).rejects.toBeInstanceOf(EmptyRoundError);
    await expect(failed).rejects.toThrow("of 4 prompts 4 have answers of equal scores.");
  });
});

describe("tensors", () => {
  it("are freed at the end, and wherever a run is left", async () => {
    const before = memory().numTensors;
    const kinds = new Set<TrainingReport["kind"]>();
    await followOnline(onlineRun(model, { steps: 3 }), ({ kind }) => kinds.add(kind));
    expect(memory().numTensors).toBe(before);
    for (const kind of kinds) {
      const reports = train(onlineRun(model, { steps: 3 }));
      for await (const report of reports) {
        if (report.kind === kind) break;
      }
      expect(memory().numTensors, kind).toBe(before);
    }
    expect([...kinds]).toEqual(
      expect.arrayContaining(["generating", "judging", "round", "onlineEvaluation"]),
    );
  });

  it("are no more in the last round than in the second", async () => {
    const counts: number[] = [];
    await followOnline(onlineRun(model, { regeneratedShare: 1 }), (report) => {
      if (report.kind === "step") counts.push(memory().numTensors);
    });
    expect(new Set(counts.slice(1)).size).toBe(1);
  });
});
