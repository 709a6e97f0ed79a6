/** Whole online runs on the tiny model, collected for tests. */
import type { AnswerJudge, JudgedAnswer, Verdict } from "../judges/answerJudge.ts";
import type { Model } from "../models/decoder.ts";
import { tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { RunConfig } from "../training/config.ts";
import type { MetricRecord } from "../training/metrics.ts";
import { tinyRun, type Saved } from "../training/tinyRun.testing.ts";
import { train, type Milestone, type TrainingReport, type TrainingRun } from "../training/train.ts";
import type { OnlinePrompt, OnlineSetup } from "./onlineSetup.ts";
import type { OnlineEvaluation, RoundRecord } from "./roundRecord.ts";

const [STOP = 2] = tinyConfig.eosTokenIds;

const notHere = () => {
  throw new Error("Not asked for in these tests.");
};

/** Every id is a word of its own: "7 12 30"; the stop token is nothing. */
export const idTokenizer: Tokenizer = {
  encode: notHere,
  decode: (ids) => ids.filter((id) => id !== STOP).join(" "),
  decodeTokens: notHere,
  specialTokens: new Map(),
  vocabularySize: tinyConfig.vocabularySize,
  bosTokenId: 1,
  stopTokenIds: [STOP],
  hasChatTemplate: false,
  renderChat: notHere,
};

/** A judge that is a function of one answer; counts what it is asked. */
export function functionJudge(
  scoreOf: (answer: JudgedAnswer) => number,
  label = "Program",
): AnswerJudge & { readonly asked: JudgedAnswer[] } {
  const asked: JudgedAnswer[] = [];
  return {
    spec: { kind: "program", id: label },
    label,
    asked,
    score: (answers) => {
      asked.push(...answers);
      return Promise.resolve(answers.map((answer): Verdict => ({ score: scoreOf(answer) })));
    },
  };
}

/** Mean id of an answer, in tenths: another number for nearly every answer. */
export function meanId({ answer }: Pick<JudgedAnswer, "answer">): number {
  const ids = answer === "" ? [] : answer.split(" ").map(Number);
  return ids.length === 0 ? 0 : ids.reduce((sum, id) => sum + id, 0) / ids.length / 10;
}

/** Prompts of the tiny pairs, with these as the set's own. */
export function tinyPrompts(count: number): OnlinePrompt[] {
  return tinyPairs(count).map((pair, place) => ({
    text: `prompt ${place}`,
    ids: pair.prompt,
    pair,
    chosen: [...pair.chosen].join(" "),
    rejected: [...pair.rejected].join(" "),
  }));
}

/** A short online run: 6 steps of 2 pairs in 3 rounds over 4 prompts, of which later rounds draw half anew. */
export function onlineRun(
  model: Model,
  changes: Partial<RunConfig> = {},
  setup: Partial<OnlineSetup> = {},
  parts: Partial<TrainingRun> = {},
): TrainingRun & { readonly online: OnlineSetup } {
  const prompts = tinyPrompts(4);
  const settings: Partial<RunConfig> = {
    rounds: 3,
    steps: 6,
    batchPairs: 2,
    evalPairs: 1,
    answersPerPrompt: 3,
    sampleTokens: 4,
    ...changes,
  };
  const run = tinyRun(model, settings, parts);
  const online: OnlineSetup = {
    prompts,
    heldoutPrompts: tinyPairs(2, { seed: 5 }).map(({ prompt }, place) => ({
      text: `held out ${place}`,
      ids: prompt,
    })),
    tokenizer: idTokenizer,
    judges: [{ judge: functionJudge(meanId), weight: 1 }],
    heldoutJudge: functionJudge((answer) => -meanId(answer), "Held out"),
    now: () => 0,
    signal: new AbortController().signal,
    ...setup,
  };
  return { ...run, trainPairs: prompts.flatMap(({ pair }) => pair ?? []), online };
}

/** What an online run said, in order, and its last state. */
export interface FollowedOnline {
  readonly steps: { readonly step: number; readonly metrics: MetricRecord }[];
  readonly rounds: RoundRecord[];
  readonly evaluations: OnlineEvaluation[];
  readonly kinds: string[];
  tensors: Saved;
  isLast: boolean;
}

/** An empty account. */
export function nothingFollowed(): FollowedOnline {
  return { steps: [], rounds: [], evaluations: [], kinds: [], tensors: {}, isLast: false };
}

/** Adds a report to an account. */
export async function note(followed: FollowedOnline, report: TrainingReport): Promise<void> {
  followed.kinds.push(report.kind);
  if (report.kind === "step") followed.steps.push({ step: report.step, metrics: report.metrics });
  if (report.kind === "round") followed.rounds.push(report.record);
  if (report.kind === "onlineEvaluation") followed.evaluations.push(report.evaluation);
  if (report.kind === "milestone" && report.milestone.isLast) {
    followed.tensors = await report.milestone.save();
    followed.isLast = true;
  }
}

/** Trains to the end; `hear` may answer a report. */
export async function followOnline(
  run: TrainingRun,
  hear: (report: TrainingReport) => void = () => undefined,
): Promise<FollowedOnline> {
  const followed = nothingFollowed();
  for await (const report of train(run)) {
    hear(report);
    await note(followed, report);
  }
  return followed;
}

/** What a run resumes with after a milestone. */
export async function resumedAt(
  run: TrainingRun & { readonly online: OnlineSetup },
  milestone: Milestone,
): Promise<TrainingRun> {
  const rounds = milestone.rounds();
  if (rounds === null) throw new Error("The milestone is of no online run.");
  const { step } = milestone;
  return {
    ...run,
    resume: { step, tensors: await milestone.save() },
    online: { ...run.online, resume: structuredClone(rounds) },
  };
}
