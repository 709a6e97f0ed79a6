/** What a run in rounds does now: the stage of the loop, its progress, and both in words. */
import type { RunConfig } from "../../../engine/training/config.ts";
import type { RunState } from "../../../state/runStore.ts";
import type { RoundRecord } from "../../../worker/protocol.ts";
import { formatCount } from "../../format.ts";
import { waitsForJudges } from "./failureList.ts";

/** Stages in the order of a round; the last is no part of it. */
export const loopStages = ["generate", "score", "select", "train", "evaluate"] as const;

/** A stage of a round. */
export type LoopStage = (typeof loopStages)[number];

/** The loop as it stands. */
export interface LoopState {
  /** Null while nothing runs. */
  readonly stage: LoopStage | null;
  /** Progress inside the stage; null when it has no count. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly sentence: string;
}

/** The loop before there is a run. */
export const restingLoop: LoopState = { stage: null, progress: null, sentence: "" };

type Run = Pick<RunState, "phase" | "step" | "progress" | "rounds" | "onlineEvaluations" | "judgement">;

/** The stage, progress and sentence of a run of so many rounds. */
export function loopState(run: Run, totalRounds: number): LoopState {
  const { phase, progress } = run;
  const place = `Round ${roundNow(run, totalRounds)} of ${totalRounds}`;
  if ((phase === "generating" || phase === "judging") && isEvaluating(run)) {
    return evaluationState(run, place);
  }
  const at = (stage: LoopStage, doing: string): LoopState => ({
    stage,
    progress,
    sentence: `${place} – ${doing}`,
  });
  const count = (things: string) => countText(progress, things);
  switch (phase) {
    case "generating":
      return at("generate", `drawing ${count("answers")}`);
    case "judging":
      if (run.judgement !== null) return at("score", waitingText(run.judgement.groups.length));
      return at("score", `scoring ${givenText(progress, "answers")}`);
    case "caching-ref":
      return at("select", `reading the reference values of ${count("pairs")}`);
    case "training":
      return at("train", "training on the pairs");
    case "evaluating":
      return at("evaluate", "answering held-out prompts");
    case "paused":
      return { stage: pausedStage(run), progress: null, sentence: `${place} – paused` };
    case "saving":
    case "recovering":
      return { stage: null, progress: null, sentence: place };
    case "waking":
    case "ready":
      return restingLoop;
    case "done":
      return { stage: null, progress: null, sentence: endText(run, totalRounds) };
    case "stopped":
      return { stage: null, progress: null, sentence: `Stopped in round ${place.slice(6)}` };
    case "failed":
      return { stage: null, progress: null, sentence: `Failed in round ${place.slice(6)}` };
  }
}

/** Number, from 1 on, of the round under way; after the last, the last. */
export function roundNow(run: Pick<Run, "rounds" | "step">, totalRounds: number): number {
  const newest = newestRound(run);
  if (newest === null) return 1;
  return Math.min(newest.round + (newest.isOver ? 2 : 1), Math.max(totalRounds, 1));
}

/** The newest round that the run has reached; a run that was taken back may have told of later ones. */
function newestRound({ rounds, step }: Pick<Run, "rounds" | "step">): RoundRecord | null {
  return rounds.findLast((record) => record.step <= step) ?? null;
}

/** Held-out prompts are answered before the first round, and once the steps of a round are taken until it is over. */
function isEvaluating(run: Run): boolean {
  if (run.onlineEvaluations.length === 0) return true;
  const newest = newestRound(run);
  return newest !== null && !newest.isOver && run.step > newest.step;
}

function evaluationState({ phase, progress, onlineEvaluations }: Run, place: string): LoopState {
  const when = onlineEvaluations.length === 0 ? "Before the first round" : place;
  const doing =
    phase === "generating"
      ? `drawing ${countText(progress, "held-out answers")}`
      : `scoring ${givenText(progress, "held-out answers")}`;
  return { stage: "evaluate", progress, sentence: `${when} – ${doing}` };
}

/** Where a paused run stands, as far as its rounds tell: answers wait for a judge, or pairs for their steps. */
function pausedStage(run: Run): LoopStage | null {
  const newest = newestRound(run);
  if (newest === null || newest.isOver) return null;
  return waitsForJudges(run) ? "score" : "train";
}

function endText({ rounds, onlineEvaluations }: Run, totalRounds: number): string {
  const last = onlineEvaluations.at(-1);
  if (last?.endsRun === true) {
    return `Ended after round ${last.rounds} of ${totalRounds}: the held-out judge had fallen`;
  }
  const over = rounds.filter(({ isOver }) => isOver).length;
  return `Done after ${over} of ${totalRounds} rounds`;
}

function countText(progress: LoopState["progress"], things: string): string {
  if (progress === null || progress.total === 0) return things;
  return `${formatCount(progress.done)} of ${formatCount(progress.total)} ${things}`;
}

/** A judge gives a score to an answer, so that several give several. */
function givenText(progress: LoopState["progress"], things: string): string {
  if (progress === null || progress.total === 0) return things;
  return `${things}, ${countText(progress, "scores")} given`;
}

function waitingText(prompts: number): string {
  return `waiting for your judgement of ${formatCount(prompts)} ${prompts === 1 ? "prompt" : "prompts"}`;
}

/** What a run of a setup will draw and train, in a sentence; null before the set is loaded. */
export function planSentence(config: RunConfig, trainPairs: number | null): string | null {
  if (trainPairs === null || config.rounds === 0) return null;
  const prompts = config.onlinePrompts === 0 ? trainPairs : Math.min(config.onlinePrompts, trainPairs);
  const later = Math.ceil(config.regeneratedShare * prompts) * config.answersPerPrompt;
  const first = config.firstPairs === "generated" ? prompts * config.answersPerPrompt : 0;
  const rounds = `${formatCount(config.rounds)} ${config.rounds === 1 ? "round" : "rounds"}`;
  const drawn =
    first === 0 ? `the first trains on the set’s own pairs` : `the first draws ${formatCount(first)} answers`;
  const rest = config.rounds === 1 ? "" : `, each later one ${formatCount(later)}`;
  return `${rounds} over ${formatCount(prompts)} prompts: ${drawn}${rest}. ${formatCount(config.steps)} steps in all.`;
}
