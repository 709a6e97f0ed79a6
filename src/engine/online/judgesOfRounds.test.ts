/** Judges of online runs: those that fail, the one that is kept aside, the policy's own, and a stop while one waits. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnswerJudge, JudgedAnswer, Verdict } from "../judges/answerJudge.ts";
import type { Model } from "../models/decoder.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { createPolicy } from "../training/policy.ts";
import { follow, randomAdapter, tinyRun } from "../training/tinyRun.testing.ts";
import { train } from "../training/train.ts";
import { implicitJudge } from "./implicitJudge.ts";
import {
  followOnline,
  functionJudge,
  meanId,
  note,
  nothingFollowed,
  onlineRun,
  resumedAt,
} from "./onlineRun.testing.ts";

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

/** One round of one step, without held-out prompts. */
const short = { rounds: 1, steps: 1 } as const;
const nobody = { heldoutPrompts: [], heldoutJudge: null };

function judgeOf(score: AnswerJudge["score"]): AnswerJudge {
  return { spec: { kind: "program", id: "own" }, label: "Own", score };
}

function runWith(judge: AnswerJudge, changes: Parameters<typeof onlineRun>[1] = {}) {
  return onlineRun(model, { ...short, ...changes }, { ...nobody, judges: [{ judge, weight: 1 }] });
}

describe("the held-out judge", () => {
  it("is never asked of a training prompt, and changes no pair and no parameter", async () => {
    const heldoutJudge = functionJudge((answer) => 7 - 3 * meanId(answer), "Held out");
    const watched = await followOnline(onlineRun(model, {}, { heldoutJudge }));
    const other = await followOnline(
      onlineRun(model, {}, { heldoutJudge: functionJudge(() => 0, "Held out") }),
    );
    const none = await followOnline(onlineRun(model, {}, { heldoutJudge: null }));
    expect(heldoutJudge.asked.length).toBeGreaterThan(0);
    expect(heldoutJudge.asked.every(({ prompt }) => prompt.startsWith("held out"))).toBe(true);
    for (const found of [other, none]) {
      expect(found.rounds).toEqual(watched.rounds);
      expect(found.steps).toEqual(watched.steps);
      expect(found.tensors).toEqual(watched.tensors);
    }
  });
});

describe("a judge that fails", () => {
  const throwing = judgeOf(() => Promise.reject(new Error("The line is dead.")));
  const cases: readonly (readonly [string, AnswerJudge, string])[] = [
    ["throws", throwing, "The line is dead."],
    ["gives NaN", functionJudge(() => NaN), "The judge gave NaN in place of a score."],
    ["gives Infinity", functionJudge(() => -Infinity), "The judge gave -Infinity in place of a score."],
    ["gives nothing", judgeOf(() => Promise.resolve([])), "The judge gave 0 verdicts for 12 answers"],
  ];

  it.each(cases)("and %s is named with every answer", async (_what, judge, reason) => {
    const before = memory().numTensors;
    const told: string[] = [];
    const run = runWith(judge, { onJudgeFailure: "pause" });
    const failed = followOnline(run, (report) => {
      if (report.kind === "judgeFailed") told.push(...report.failures.map((failure) => failure.reason));
    });
    await expect(failed).rejects.toThrow("12 answers could not be scored");
    expect(told).toHaveLength(12);
    expect(told.every((text) => text.startsWith(reason))).toBe(true);
    expect(memory().numTensors).toBe(before);
  });

  /** Knows nothing of answers to the first prompt until it has been asked `times` times. */
  const recovering = (times: number) => {
    const calls: JudgedAnswer[][] = [];
    const judge = judgeOf((answers) => {
      calls.push([...answers]);
      return Promise.resolve(
        answers.map((answer): Verdict =>
          answer.prompt === "prompt 0" && calls.length <= times
            ? { reason: "busy" }
            : { score: meanId(answer) },
        ),
      );
    });
    return { judge, calls };
  };

  it("is asked again for the failed answers alone, as often as that is decided", async () => {
    const { judge, calls } = recovering(2);
    const said: string[] = [];
    const found = await followOnline(runWith(judge), (report) => {
      if (report.kind === "round") said.push(`round with ${report.record.failures.length}`);
      if (report.kind !== "judgeFailed") return;
      said.push(`failed ${report.failures.length}`);
      report.decide("retry");
    });
    expect(said).toEqual([
      "round with 3",
      "failed 3",
      "round with 3",
      "failed 3",
      "round with 0",
      "round with 0",
    ]);
    expect(calls.map((answers) => answers.length)).toEqual([12, 3, 3]);
    expect(calls[2]).toEqual(calls[0]?.slice(0, 3));
    // As if it had never failed.
    const never = await followOnline(runWith(functionJudge(meanId, "Own")));
    expect(found.rounds.at(-1)).toEqual(never.rounds.at(-1));
    expect(found.tensors).toEqual(never.tensors);
  });

  it.each([
    ["without a decision", "pause"],
    ["where it is not to pause", "goOn"],
  ] as const)("leaves its prompts out %s", async (_when, onJudgeFailure) => {
    const { judge } = recovering(Infinity);
    const { rounds, kinds } = await followOnline(runWith(judge, { onJudgeFailure }));
    const last = rounds.at(-1);
    expect(last?.failures).toHaveLength(3);
    expect(last?.failures[0]).toMatchObject({ judge: "Own", prompt: "prompt 0", reason: "busy" });
    expect(last?.prompts.map(({ now }) => now === null)).toEqual([true, false, false, false]);
    expect(last?.prompts[0]?.reason).toBe("judgeFailed");
    expect(kinds.includes("judgeFailed")).toBe(onJudgeFailure === "pause");
  });

  it("is asked again by a run that was stopped while its failure waited", async () => {
    const { judge, calls } = recovering(1);
    const controller = new AbortController();
    const run = onlineRun(model, short, {
      ...nobody,
      judges: [{ judge, weight: 1 }],
      signal: controller.signal,
    });
    let resumed: Parameters<typeof followOnline>[0] = run;
    for await (const report of train(run)) {
      if (report.kind === "judgeFailed") controller.abort();
      if (report.kind === "milestone") resumed = await resumedAt(run, report.milestone);
    }
    const resume = resumed.online?.resume;
    expect(JSON.parse(resume?.state ?? "{}")).toMatchObject({ stage: "score" });
    const online = { ...run.online, ...(resume ? { resume } : {}), signal: new AbortController().signal };
    const rest = await followOnline({ ...resumed, online });
    expect(calls.map((answers) => answers.length)).toEqual([12, 3]);
    const never = await followOnline(runWith(functionJudge(meanId, "Own")));
    expect(rest.rounds.at(-1)).toEqual(never.rounds.at(-1));
  });

  it("is asked again by a run that goes on from a round without pairs", async () => {
    let isIll = true;
    const judge = judgeOf((answers) =>
      Promise.resolve(
        answers.map((answer): Verdict => (isIll ? { reason: "busy" } : { score: meanId(answer) })),
      ),
    );
    const run = runWith(judge, { onJudgeFailure: "goOn" });
    let resumed: Parameters<typeof followOnline>[0] = run;
    const untilEmpty = async () => {
      for await (const report of train(run)) {
        if (report.kind === "milestone") resumed = await resumedAt(run, report.milestone);
      }
    };
    await expect(untilEmpty()).rejects.toThrow(
      "of 4 prompts 4 have answers that judges could not score. 12 answers could not be scored. Resume the run",
    );
    isIll = false;
    const rest = await followOnline(resumed);
    const never = await followOnline(runWith(functionJudge(meanId, "Own")));
    expect(rest.rounds.at(-1)).toEqual(never.rounds.at(-1));
    expect(rest.tensors).toEqual(never.tensors);
  });

  it("keeps the stored pair of a later round", async () => {
    let calls = 0;
    const judge = judgeOf((answers) => {
      calls += 1;
      return Promise.resolve(
        answers.map((answer): Verdict => (calls === 1 ? { score: meanId(answer) } : { reason: "gone" })),
      );
    });
    const run = runWith(judge, { rounds: 2, steps: 2, regeneratedShare: 1, onJudgeFailure: "goOn" });
    const { rounds } = await followOnline(run);
    expect(rounds.at(-1)?.prompts.map(({ now }) => now)).toEqual(rounds[0]?.prompts.map(({ now }) => now));
  });
});

describe("a stop while a judge waits", () => {
  it("ends the run with a milestone that it goes on from", async () => {
    const before = memory().numTensors;
    const controller = new AbortController();
    const waiting = judgeOf(
      (_answers, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            reject(new Error("aborted"));
          });
          queueMicrotask(() => {
            controller.abort();
          });
        }),
    );
    const judges = [
      { judge: functionJudge(meanId, "First"), weight: 1 },
      { judge: waiting, weight: 1 },
    ];
    const run = onlineRun(model, short, { ...nobody, judges, signal: controller.signal });
    const stopped = nothingFollowed();
    let resumed = run as Parameters<typeof train>[0];
    for await (const report of train(run)) {
      await note(stopped, report);
      if (report.kind === "milestone") resumed = await resumedAt(run, report.milestone);
    }
    expect(stopped.kinds.at(-1)).toBe("milestone");
    expect(stopped.kinds).not.toContain("judgeFailed");
    expect(stopped.isLast).toBe(false);
    expect(memory().numTensors).toBe(before);

    const answering = [judges[0]!, { judge: functionJudge(meanId, "Own"), weight: 1 }];
    const online = { ...run.online, judges: answering, signal: new AbortController().signal };
    const rest = await followOnline({
      ...resumed,
      online: { ...online, ...(resumed.online?.resume ? { resume: resumed.online.resume } : {}) },
    });
    const whole = await followOnline({ ...run, online });
    expect(rest.rounds).toEqual(whole.rounds);
    expect(rest.tensors).toEqual(whole.tensors);
  });
});

describe("the policy as its own judge", () => {
  it("scores the difference that an evaluation finds", async () => {
    const initialAdapter = randomAdapter(model, 3);
    const run = tinyRun(model, { steps: 1 }, { initialAdapter });
    const [evaluation] = (await follow(run)).evaluations;
    const policy = createPolicy(model, run.config, initialAdapter);
    const answers = tinyPairs(4, { seed: 2 }).map(({ prompt, chosen }) => ({
      prompt: "",
      answer: "",
      promptIds: prompt,
      answerIds: chosen,
    }));
    const verdicts = await implicitJudge(model, policy.weights).score(answers, new AbortController().signal);
    policy.dispose();
    verdicts.forEach((verdict, place) => {
      const expected = evaluation?.chosenDelta[place] ?? NaN;
      expect("score" in verdict && Math.abs(verdict.score - expected)).toBeLessThan(1e-5);
    });
  });

  it("is asked as the policy of the moment: alike at first, not after steps", async () => {
    const other = createPolicy(model, tinyRun(model).config);
    const stale = { ...implicitJudge(model, other.weights), label: "Self" };
    const judges = [
      { judge: functionJudge(meanId), weight: 1 },
      { judge: stale, weight: 1 },
    ];
    const { rounds } = await followOnline(
      onlineRun(model, { rounds: 2, steps: 2, regeneratedShare: 1 }, { ...nobody, judges }),
    );
    other.dispose();
    expect(rounds[0]?.metrics["judge/Self"]).toBe(0);
    expect(Math.abs(rounds.at(-1)?.metrics["judge/Self"] ?? 0)).toBeGreaterThan(1e-3);
  });
});
