/** A run that is left at any of its milestones goes on as if never cut: the same pairs, metrics and parameters, to the last bit. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AnswerJudge, Verdict } from "../judges/answerJudge.ts";
import type { Model } from "../models/decoder.ts";
import { openTestDevice } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import type { RunConfig } from "../training/config.ts";
import { train, type TrainingRun } from "../training/train.ts";
import {
  followOnline,
  functionJudge,
  meanId,
  note,
  nothingFollowed,
  onlineRun,
  resumedAt,
  tinyPrompts,
  type FollowedOnline,
} from "./onlineRun.testing.ts";
import type { RoundsState } from "./roundsState.ts";

vi.setConfig({ testTimeout: 60_000 });
// Parts of 4 answers instead of 32, so that a small round has several.
vi.mock("../generation/generate.ts", async (original) => ({
  ...(await original<object>()),
  promptsAtOnce: 4,
}));

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

/** Cannot score answers that begin with a multiple of 8; that depends on nothing that a killed worker would forget. */
const halfBlind: AnswerJudge = {
  ...functionJudge(meanId),
  label: "Half blind",
  score: (answers) =>
    Promise.resolve(
      answers.map(({ answer, answerIds: [first = 0] }): Verdict => {
        return first % 8 === 0 ? { reason: `begins with ${first}` } : { score: meanId({ answer }) };
      }),
    ),
};

const small: Partial<RunConfig> = { steps: 4, rounds: 2, answersPerPrompt: 3, sampleTokens: 3, evalPairs: 1 };

function smallRun(changes: Partial<RunConfig> = {}) {
  const judges = [
    { judge: functionJudge(meanId), weight: 1 },
    { judge: halfBlind, weight: 0.5 },
  ];
  const { heldoutPrompts } = onlineRun(model).online;
  return onlineRun(
    model,
    { ...small, ...changes },
    { prompts: tinyPrompts(3), judges, heldoutPrompts: heldoutPrompts.slice(0, 2) },
  );
}

/** What a run says from a milestone on. */
interface Cut {
  readonly run: TrainingRun;
  readonly place: string;
  readonly said: { readonly steps: number; readonly rounds: number; readonly evaluations: number };
}

/** Follows a run and keeps what it resumes with after each of its milestones; of those in one state the first. */
async function cutEverywhere(
  run: Parameters<typeof resumedAt>[0],
): Promise<{ whole: FollowedOnline; cuts: Cut[] }> {
  const whole = nothingFollowed();
  const cuts = new Map<string, Cut>();
  for await (const report of train(run)) {
    await note(whole, report);
    if (report.kind !== "milestone") continue;
    const { steps, rounds, evaluations } = whole;
    const { step, rounds: read } = report.milestone;
    const text = `${read()?.state} ${step}`;
    const { stage, answers, verdicts } = JSON.parse(read()?.state ?? "{}") as RoundsState;
    const given = verdicts.flat().filter((verdict) => verdict !== null).length;
    cuts.set(
      text,
      cuts.get(text) ?? {
        run: await resumedAt(run, report.milestone),
        place: `${stage} after step ${step}: ${answers.length} answers, ${given} verdicts`,
        said: { steps: steps.length, rounds: rounds.length, evaluations: evaluations.length },
      },
    );
  }
  return { whole, cuts: [...cuts.values()] };
}

async function expectSameRest({ run, place, said }: Cut, whole: FollowedOnline): Promise<void> {
  const rest = await followOnline(run);
  expect(rest.steps, place).toEqual(whole.steps.slice(said.steps));
  expect(rest.evaluations, place).toEqual(whole.evaluations.slice(said.evaluations));
  expect(rest.rounds, place).toEqual(whole.rounds.slice(said.rounds));
  expect(rest.tensors, place).toEqual(whole.tensors);
}

it("goes on from every milestone", async () => {
  const { whole, cuts } = await cutEverywhere(smallRun());
  expect(whole.rounds[0]?.failures.length).toBeGreaterThan(0);
  expect(cuts.map(({ place }) => place)).toMatchInlineSnapshot(`
    [
      "over after step 0: 0 answers, 0 verdicts",
      "draw after step 0: 4 answers, 0 verdicts",
      "draw after step 0: 8 answers, 0 verdicts",
      "draw after step 0: 9 answers, 0 verdicts",
      "score after step 0: 9 answers, 6 verdicts",
      "score after step 0: 9 answers, 9 verdicts",
      "score after step 0: 9 answers, 15 verdicts",
      "score after step 0: 9 answers, 18 verdicts",
      "train after step 0: 9 answers, 18 verdicts",
      "train after step 1: 9 answers, 18 verdicts",
      "evaluate after step 2: 9 answers, 18 verdicts",
      "over after step 2: 9 answers, 18 verdicts",
      "draw after step 2: 4 answers, 0 verdicts",
      "draw after step 2: 6 answers, 0 verdicts",
      "score after step 2: 6 answers, 6 verdicts",
      "score after step 2: 6 answers, 12 verdicts",
      "train after step 2: 6 answers, 12 verdicts",
      "train after step 3: 6 answers, 12 verdicts",
      "evaluate after step 4: 6 answers, 12 verdicts",
      "over after step 4: 6 answers, 12 verdicts",
    ]
  `);
  for (const cut of cuts) await expectSameRest(cut, whole);
});

it("goes on with the reference that the run started from", async () => {
  const { whole, cuts } = await cutEverywhere(smallRun({ onlineReference: "initial", firstPairs: "data" }));
  const places = [/^train after step 1/, /^draw after step 2/, /^train after step 3/];
  for (const place of places) {
    const cut = cuts.find((one) => place.test(one.place));
    if (cut === undefined) throw new Error(`There is no cut at ${String(place)}.`);
    await expectSameRest(cut, whole);
  }
});
