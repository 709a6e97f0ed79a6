import type { DataStep } from "./dataStep.ts";
import { dataSteps } from "./index.ts";
import type { RowSet } from "./setRow.ts";
import { DataStepError, type StepContext, type StepOutcome } from "./stepContext.ts";

/** What a step did. */
export interface DoneStep {
  readonly kind: DataStep["kind"];
  readonly sentence: string;
  /** Training pairs after it. */
  readonly trainPairs: number;
}

/** A set after its steps. */
export interface SteppedSet {
  readonly set: RowSet;
  readonly done: readonly DoneStep[];
}

/**
 * Changes a set step by step, in order. Throws `DataStepError` for a step that cannot be done, with its number, and where
 * no training pair is left.
 */
export async function applySteps(
  set: RowSet,
  steps: readonly DataStep[],
  context: StepContext,
): Promise<SteppedSet> {
  const done: DoneStep[] = [];
  let current = set;
  for (const [index, step] of steps.entries()) {
    const { set: changed, sentence } = await applied(current, step, context).catch((error: unknown) => {
      if (!(error instanceof DataStepError)) throw error;
      throw new DataStepError(`Step ${index + 1} (${step.kind}): ${error.message}`);
    });
    if (changed.train.length === 0) {
      throw new DataStepError(`Step ${index + 1} (${step.kind}) leaves no training pair: ${sentence}`);
    }
    done.push({ kind: step.kind, sentence, trainPairs: changed.train.length });
    current = changed;
  }
  return { set: current, done };
}

async function applied(set: RowSet, step: DataStep, context: StepContext): Promise<StepOutcome> {
  switch (step.kind) {
    case "drop":
      return dataSteps.drop(set, step, context);
    case "subset":
      return dataSteps.subset(set, step, context);
    case "select":
      return dataSteps.select(set, step, context);
    case "relabel":
      return dataSteps.relabel(set, step, context);
    case "mix":
      return dataSteps.mix(set, step, context);
    case "flip":
      return dataSteps.flip(set, step, context);
    case "revise":
      return dataSteps.revise(set, step, context);
  }
}
