/** What the page showed at each step, so that a run that goes back shows what it showed there. */
import type { PairScores } from "../engine/training/evaluate.ts";
import type { ProbePoints } from "../worker/protocol.ts";
import type { SampleSet } from "./runStore.ts";

/** The probe pairs and the samples that were shown after an event of a step. */
export interface ShownStep {
  readonly points: ProbePoints | null;
  readonly pointsStep: number;
  readonly scores: PairScores | null;
  readonly before: SampleSet | null;
  readonly now: SampleSet | null;
  readonly best: SampleSet | null;
}

/** Remembers what was shown since the last checkpoint: a run never goes back further. */
export class ShownSteps {
  private shown: { readonly step: number; readonly what: ShownStep }[] = [];

  /** Keeps what is shown after an event of this step. */
  keep(step: number, { points, pointsStep, scores, before, now, best }: ShownStep): void {
    this.shown.push({ step, what: { points, pointsStep, scores, before, now, best } });
  }

  /** What was shown at a step; null when nothing was yet. */
  at(step: number): ShownStep | null {
    return this.shown.findLast((each) => each.step <= step)?.what ?? null;
  }

  /** Forgets what a run that goes back to this checkpoint would not show. */
  forgetBefore(checkpointStep: number): void {
    const first = this.shown.findLastIndex(({ step }) => step <= checkpointStep);
    this.shown = this.shown.slice(Math.max(first, 0));
  }

  /** Forgets everything after a step. */
  rewindTo(step: number): void {
    this.shown = this.shown.filter((each) => each.step <= step);
  }

  /** Forgets everything. */
  clear(): void {
    this.shown = [];
  }
}
