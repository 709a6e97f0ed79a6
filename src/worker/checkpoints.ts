/** Checkpoints of a run on their way to the page: none twice, and those within a round not one upon another. */
import { progressOf } from "../engine/online/roundsState.ts";
import type { Milestone, TrainingRun } from "../engine/training/train.ts";
import type { Checkpoint, WorkerEvent } from "./protocol.ts";

/** Parts of a round's work may take a moment each, and a checkpoint holds the moments of every parameter. */
const APART_MS = 2000;

/** The checkpoints of one run. */
export interface Checkpoints {
  /** The step of the last one; null before the first. */
  readonly lastStep: () => number | null;
  /** Whether the run has come further than the last one. */
  readonly isNews: (milestone: Milestone) => boolean;
  /** Tells of one; within a round it is held back soon after another, unless it is urgent. */
  readonly keep: (milestone: Milestone, isUrgent: boolean) => Promise<void>;
  /** Tells of the one that was held back. */
  readonly flush: () => void;
}

interface CheckpointSettings {
  readonly runId: string;
  readonly run: TrainingRun;
  readonly activeMs: () => number;
  readonly say: (event: WorkerEvent) => void;
}

/** Begins with the checkpoint that the run resumes. */
export function createCheckpoints({ runId, run, activeMs, say }: CheckpointSettings): Checkpoints {
  let lastStep = run.resume?.step ?? null;
  let lastProgress = progressIn(run.online?.resume?.state);
  let toldAt = -Infinity;
  /** Nothing trains within a round's work: what was read at its step is still true. */
  let saved: { readonly step: number; readonly tensors: Checkpoint["tensors"] } | null = null;
  let held: Checkpoint | null = null;

  const tell = (checkpoint: Checkpoint) => {
    held = null;
    toldAt = performance.now();
    lastStep = checkpoint.step;
    lastProgress = progressIn(checkpoint.rounds?.state);
    say({ type: "checkpoint", checkpoint });
  };
  return {
    lastStep: () => lastStep,
    isNews: ({ step, rounds }) => {
      const progress = progressIn(rounds()?.state);
      // Rounds are kept before the first step as well: their answers took a while.
      if (progress === null && step === 0) return false;
      return step !== lastStep || progress !== lastProgress;
    },
    keep: async (milestone, isUrgent) => {
      const { step, isMidRound } = milestone;
      const isFirst = saved?.step !== step;
      if (saved === null || isFirst) saved = { step, tensors: await milestone.save() };
      const { tensors } = saved;
      held = { runId, step, activeMs: activeMs(), tensors, rounds: milestone.rounds() };
      const isSoon = performance.now() - toldAt < APART_MS;
      if (isFirst || isUrgent || !isMidRound || !isSoon) tell(held);
    },
    flush: () => {
      if (held !== null) tell(held);
    },
  };
}

function progressIn(state: string | undefined): string | null {
  return state === undefined ? null : progressOf(state);
}
