/** How held-out prompts are answered and scored before the first round and after every one. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { generate } from "../generation/generate.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights } from "../models/weights.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { answerSeed } from "./drawAnswers.ts";
import { bestOf, distinctBigrams, hasDeclined } from "./evaluateOnline.ts";
import {
  followOnline,
  functionJudge,
  idTokenizer,
  meanId,
  onlineRun,
  resumedAt,
} from "./onlineRun.testing.ts";
import { train, type TrainingRun } from "../training/train.ts";

vi.setConfig({ testTimeout: 30_000 });

describe("distinctBigrams", () => {
  it("counts pairs of neighbours over all answers", () => {
    // 1 2, 2 1, 1 2 and 2 1: two of four.
    expect(distinctBigrams([[1, 2, 1], [1, 2], [2, 1], [9]])).toBe(0.5);
    expect(distinctBigrams([[1], []])).toBeNull();
  });
});

describe("hasDeclined", () => {
  it.each([
    [[1, 0.5, 0.25], 2, true],
    [[1, 0.5, 0.5], 2, false],
    [[0, 1, 0.5], 2, false],
    [[0, 1, 0.5], 1, true],
    [[1, null, 0.5], 1, false],
    [[1, 0.5], 2, false],
    [[1, 0.5, 0.25], 0, false],
  ])("of %j over %i rounds is %s", (means, rounds, expected) => {
    expect(hasDeclined(means, rounds)).toBe(expected);
  });
});

describe("bestOf", () => {
  it("takes the best by the proxy of the first n answers, and what the held-out judge says of it", () => {
    const scores = {
      proxy: [0, 2, 1, null, 5, 4, 5, 9],
      heldout: [1, 0, 3, 7, 2, null, 6, 4],
    };
    expect(bestOf(scores, 2, 4)).toEqual([
      { n: 1, proxy: 2.5, heldout: 1.5 },
      // 2 of the first prompt; 5 of the second, whose second answer has 4.
      { n: 2, proxy: 3.5, heldout: 1 },
      { n: 4, proxy: 5.5, heldout: 2 },
    ]);
  });

  it("ends with all answers, also where they are no power of 2", () => {
    const scores = { proxy: [0, 2, 3], heldout: [1, 0, 5] };
    expect(bestOf(scores, 1, 3)).toEqual([
      { n: 1, proxy: 0, heldout: 1 },
      { n: 2, proxy: 2, heldout: 0 },
      { n: 3, proxy: 3, heldout: 5 },
    ]);
  });

  it("has only prompts that were scored", () => {
    const scores = { proxy: [null, 1], heldout: [null, null] };
    expect(bestOf(scores, 1, 2)).toEqual([{ n: 2, proxy: 1, heldout: null }]);
  });
});

describe("an online run", () => {
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

  it("is evaluated before anything and after every round, always from the same seed", async () => {
    const run = onlineRun(model, { rounds: 2, steps: 2 });
    const { evaluations } = await followOnline(run);
    expect(evaluations.map(({ rounds, step }) => [rounds, step])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    const [first] = evaluations;
    const prompts = run.online.heldoutPrompts.map(({ ids }) => ids);
    const expected = await generate(model, referenceWeights(model), prompts, {
      maxNewTokens: 4,
      temperature: 0.7,
      seed: answerSeed(run.config.seed, -1),
      streams: prompts.map((_, prompt) => 64 * prompt),
      stopTokenIds: [2],
    });
    expect(first?.samples.map(({ answer }) => answer)).toEqual(
      expected.map((ids) => idTokenizer.decode(ids)),
    );
    expect(first?.samples.map(({ proxy }) => proxy)).toEqual(
      first?.samples.map(({ answer }) => meanId({ answer })),
    );
    expect(first?.samples.map(({ heldout }) => heldout)).toEqual(
      first?.samples.map(({ proxy }) => -(proxy ?? NaN)),
    );
  });

  it("starts without distance and without wins, and is compared with its start from then on", async () => {
    const { evaluations } = await followOnline(onlineRun(model, { rounds: 2, steps: 2, learningRate: 0.05 }));
    const [first, second] = evaluations;
    expect(first?.metrics["samples/kl"]).toBe(0);
    expect(first?.winRate).toBeNull();
    expect(first?.bestOf.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(second?.bestOf).toEqual([]);
    expect(second?.metrics["samples/kl"]).not.toBe(0);
    const heldoutOf = (evaluation = first) => evaluation?.samples.map(({ heldout }) => heldout ?? NaN) ?? [];
    const [before, after] = [heldoutOf(), heldoutOf(second)];
    const wins = after.map((score, place) => (Math.sign(score - (before[place] ?? NaN)) + 1) / 2);
    expect(second?.winRate?.share).toBe(wins.reduce((sum, win) => sum + win, 0) / wins.length);
    expect(second?.winRate?.prompts).toBe(2);
    expect(second?.heldout?.mean).toBe(after.reduce((sum, score) => sum + score, 0) / after.length);
  });

  it("asks no person, whose answers would be no scores", async () => {
    const person = { ...functionJudge(() => 1, "Person"), spec: { kind: "person" } as const };
    const program = functionJudge(meanId);
    const judges = [
      { judge: person, weight: 1 },
      { judge: program, weight: 1 },
    ];
    const { evaluations } = await followOnline(onlineRun(model, { rounds: 1, steps: 1 }, { judges }));
    expect(person.asked.some(({ prompt }) => prompt.startsWith("held out"))).toBe(false);
    expect(person.asked.length).toBe(12);
    expect(evaluations[0]?.proxy).not.toBeNull();
  });

  it("goes on where judges fail for held-out answers, without their scores", async () => {
    const judge = functionJudge((answer) => (answer.prompt.startsWith("held out") ? NaN : meanId(answer)));
    const heldoutJudge = functionJudge(() => NaN, "Held out");
    const { evaluations, isLast } = await followOnline(
      onlineRun(model, { rounds: 1, steps: 1 }, { judges: [{ judge, weight: 1 }], heldoutJudge }),
    );
    expect(evaluations.map(({ proxy, heldout, winRate }) => [proxy, heldout, winRate])).toEqual([
      [null, null, null],
      [null, null, null],
    ]);
    // Three answers to each of two prompts before the round, one after it.
    const reason = "The judge gave NaN in place of a score.";
    expect(evaluations.map(({ failures }) => failures)).toEqual(
      [6, 2].map((answers) => [
        { judge: "Program", reason, answers },
        { judge: "Held out", reason, answers },
      ]),
    );
    expect(isLast).toBe(true);
  });

  it("finds no decline between means of other prompts", async () => {
    let asked = 0;
    // 3 answers to each of 2 prompts, then 1 to each: the second evaluation has lost the better prompt.
    const heldoutJudge = functionJudge(({ prompt }) => {
      asked += 1;
      if (prompt === "held out 1") return 1;
      return asked > 6 ? NaN : 5;
    }, "Held out");
    const run = onlineRun(model, { rounds: 2, steps: 2, declineRounds: 1 }, { heldoutJudge });
    const { evaluations } = await followOnline(run);
    expect(evaluations.map(({ heldout, endsRun }) => [heldout?.mean, endsRun])).toEqual([
      [3, false],
      [1, false],
      [1, false],
    ]);
  });

  it("ends with a last milestone once the held-out judge has fallen for long enough, and stays ended", async () => {
    let score = 10;
    const falling = functionJudge(() => (score -= 1), "Held out");
    const changes = { rounds: 3, steps: 6, declineRounds: 2, evalEvery: 0 };
    const run = onlineRun(model, changes, { heldoutJudge: falling });
    const evaluated: number[] = [];
    const ends: { steps: number; isLast: boolean }[] = [];
    let ended: TrainingRun | null = null;
    for await (const report of train(run)) {
      if (report.kind === "evaluation") evaluated.push(report.step);
      if (report.kind === "onlineEvaluation") ends.push({ steps: report.evaluation.step, isLast: false });
      if (report.kind !== "milestone" || !report.milestone.isLast) continue;
      ends.push({ steps: report.milestone.step, isLast: true });
      ended = await resumedAt(run, report.milestone);
    }
    expect(ends).toEqual([
      { steps: 0, isLast: false },
      { steps: 2, isLast: false },
      { steps: 4, isLast: false },
      { steps: 4, isLast: true },
    ]);
    // The held-out pairs of its last step belong to the end as well.
    expect(evaluated).toEqual([0, 4]);
    if (ended === null) throw new Error("The run has no end.");
    const again = await followOnline(ended);
    expect(again.kinds.filter((kind) => kind !== "reference")).toEqual(["milestone"]);
    expect(again.isLast).toBe(true);
  });

  it("counts the seconds of what it does, and none while its reports are read", async () => {
    let ms = 0;
    const judge = functionJudge((answer) => {
      ms += answer.prompt.startsWith("held out") ? 1000 : 10;
      return meanId(answer);
    });
    const setup = { judges: [{ judge, weight: 1 }], now: () => ms };
    const { rounds, evaluations } = await followOnline(
      onlineRun(model, { rounds: 2, steps: 2, regeneratedShare: 1 }, setup),
      () => (ms += 1e6),
    );
    // 12 answers of 10 ms in a round; 2 prompts have 3 answers of a second each before it and 1 after it.
    const nothing = { generate: 0, reference: 0, train: 0 };
    expect(rounds.at(1)?.seconds).toEqual({ ...nothing, score: expect.closeTo(0.12) as number, evaluate: 8 });
    expect(rounds.at(-1)?.seconds).toEqual({
      ...nothing,
      score: expect.closeTo(0.12) as number,
      evaluate: 2,
    });
    expect(rounds.at(-1)?.metrics["online/score_ms"]).toBeCloseTo(120);
    expect(evaluations.map(({ seconds }) => Math.round(1000 * seconds))).toEqual([0, 120, 240]);
  });
});
