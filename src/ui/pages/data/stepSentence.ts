/** What is done to a set, in plain sentences. */
import type { DataStep, HealthCheck } from "../../../engine/data/steps/dataStep.ts";
import type { Description } from "../../../worker/description.ts";
import { formatCount, formatShare } from "../../format.ts";

/** Names of the checks. */
export const checkNames: Readonly<Record<HealthCheck, string>> = {
  nearIdentical: "Nearly identical answers",
  duplicate: "Duplicates",
  conflict: "Contradictions",
  longerChosen: "Length bias",
  truncated: "Cut at the longest pair",
  leakage: "Held-out pairs in training",
  equalScores: "Equal scores",
};

/** What leaving out by a check leaves out. */
const droppedRows: Readonly<Record<HealthCheck, string>> = {
  nearIdentical: "pairs whose answers are nearly identical",
  duplicate: "pairs that are in the set already",
  conflict: "pairs that contradict another pair",
  longerChosen: "pairs whose chosen answer is much the longer one",
  truncated: "pairs that are cut at the longest pair",
  leakage: "training pairs that are also held out",
  equalScores: "pairs whose answers have the same score",
};

const subsetOrders = {
  random: "drawn by seed",
  largestGap: "with the largest gap",
  smallestGap: "with the smallest gap",
  shortest: "with the shortest answers",
} as const;

/** A change to a set in one sentence. */
export function stepSentence(step: DataStep, description: Description | null): string {
  switch (step.kind) {
    case "drop":
      return `Leave out ${droppedRows[step.check]}.`;
    case "subset":
      return `Keep ${pairs(step.pairs)} ${subsetOrders[step.by]}${step.by === "random" ? ` ${step.seed}` : ""}.`;
    case "select":
      return `Keep the ${pairs(step.pairs)} with the best score, none more alike than ${step.similarity}.`;
    case "relabel":
      return "Take every scored pair twice, once under the goal of each of its scores.";
    case "mix":
      return `Take ${formatShare(step.share)} of the training pairs from ${setName(step, description)} instead (seed ${step.seed}).`;
    case "flip":
      return `Swap the answers of ${formatShare(step.share)} of the training pairs (seed ${step.seed}).`;
    case "revise":
      return `Use your own ${revised(step)} in row ${formatCount(step.row + 1)}.`;
  }
}

function pairs(count: number): string {
  return `${formatCount(count)} training ${count === 1 ? "pair" : "pairs"}`;
}

function revised({ chosen, rejected }: Extract<DataStep, { kind: "revise" }>): string {
  if (chosen !== undefined && rejected !== undefined) return "answers";
  return chosen === undefined ? "rejected answer" : "chosen answer";
}

function setName(
  { data, objective }: Extract<DataStep, { kind: "mix" }>,
  description: Description | null,
): string {
  const set = description?.datasets.find(({ id }) => id === data);
  const aim = set?.objectives.find(({ id }) => id === objective);
  const hasAims = (set?.objectives.length ?? 0) > 1;
  return `${set?.label ?? data}${hasAims && aim !== undefined ? ` (${aim.label})` : ""}`;
}
