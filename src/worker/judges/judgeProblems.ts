/** What keeps the rounds of a configuration from being judged, in plain sentences. */
import {
  builtInJudge,
  isProgramSpec,
  programJudge,
  type ProgramSpec,
} from "../../engine/judges/programJudge.ts";
import { PatternError } from "../../engine/search/patternProgram.ts";
import { noAddress } from "../../engine/judges/missingJudge.ts";
import type { RunConfig } from "../../engine/training/config.ts";
import type { OwnModel } from "../keptReference.ts";
import { promptText, type LoadedData } from "../library.ts";
import type { JudgeSpec } from "../protocol.ts";
import { chooseJudges, isSameJudge } from "./judgeChoice.ts";

/** A problem with the field it is shown at. */
export interface JudgeProblem {
  readonly field: "judges" | "heldoutJudge" | "rounds";
  readonly message: string;
}

/** What problems are judged by. */
export interface ProblemParts {
  readonly owner: OwnModel;
  readonly data: LoadedData;
  /** Why a reward model cannot judge; "" where it can. */
  readonly rewardProblem: (id: string) => string;
  readonly hasEndpoint: boolean;
}

/** Every problem of a configuration with rounds; none of one without. */
export function judgeProblems(config: RunConfig, parts: ProblemParts): JudgeProblem[] {
  if (config.rounds === 0) return [];
  const { judges, heldout } = chooseJudges(config, parts);
  const problems: JudgeProblem[] = roundProblems(parts.data);
  if (judges.length === 0) problems.push({ field: "judges", message: whyNone(config) });
  for (const { judge } of judges) {
    const message = specProblem(judge, parts);
    if (message !== null) problems.push({ field: "judges", message });
  }
  const unmoved = firstRoundProblem(config, judges);
  if (unmoved !== null) problems.push({ field: "judges", message: unmoved });
  const aside = heldout === null ? null : heldoutProblem(heldout, judges, parts);
  if (aside !== null) problems.push({ field: "heldoutJudge", message: aside });
  return problems;
}

function whyNone({ judges }: RunConfig): string {
  return judges.length === 0
    ? "This set has no judge of its own: choose one."
    : "Every judge has the weight 0, so no answer would be better than another: give one of them another weight.";
}

/** What rounds need of the set; what they need of the other settings is for `whyNotOnline`. */
function roundProblems({ train, trainRows }: LoadedData): JudgeProblem[] {
  if (train.some(({ row }) => promptText(trainRows[row]).trim() !== "")) return [];
  return [
    { field: "rounds", message: "This set has no prompts to write answers to: choose one with prompts." },
  ];
}

/** Why the judges cannot tell the first answers apart, which the untrained policy writes; null where they can. */
function firstRoundProblem(
  { firstPairs }: RunConfig,
  judges: ReturnType<typeof chooseJudges>["judges"],
): string | null {
  const isAlone = judges.length > 0 && judges.every(({ judge }) => judge.kind === "implicit");
  if (!isAlone || firstPairs !== "generated") return null;
  return "The policy itself gives every answer the score 0 before its first step, so the first round would find no pair: add another judge, or take the first pairs from the set.";
}

function heldoutProblem(
  heldout: JudgeSpec,
  judges: ReturnType<typeof chooseJudges>["judges"],
  parts: ProblemParts,
): string | null {
  if (heldout.kind === "person") {
    return "You cannot be the judge that is kept aside, because it scores every held-out answer after every round: choose another one.";
  }
  if (judges.some(({ judge }) => isSameJudge(judge, heldout))) {
    return "The judge that is kept aside is also one that rounds choose by, so it would show nothing new: choose another one for either.";
  }
  return specProblem(heldout, parts);
}

/** What a judge lacks; null where it lacks nothing. */
function specProblem(spec: JudgeSpec, { rewardProblem, hasEndpoint }: ProblemParts): string | null {
  if (isProgramSpec(spec)) return programProblem(spec);
  switch (spec.kind) {
    case "rewardModel": {
      const problem = rewardProblem(spec.id);
      return problem === "" ? null : problem;
    }
    case "endpoint":
      return hasEndpoint ? null : noAddress;
    case "person":
    case "implicit":
      return null;
  }
}

/** What is wrong with the settings of a program; null where nothing is. */
export function programProblem(spec: ProgramSpec): string | null {
  const isBlank = (texts: readonly string[]) => texts.every((text) => text.trim() === "");
  if (spec.kind === "program") {
    return builtInJudge(spec.id) === null ? `There is no judge "${spec.id}": choose one of the list.` : null;
  }
  if (spec.kind === "words" && isBlank([...spec.liked, ...spec.disliked])) {
    return "The judge of words has no word to count: name at least one.";
  }
  if (spec.kind === "contains" && isBlank([...spec.wanted, ...spec.avoided])) {
    return "The judge of texts has no text to look for: name at least one.";
  }
  if (spec.kind !== "pattern") return null;
  if (spec.pattern === "") return "The judge of a pattern has none: write a regular expression.";
  try {
    programJudge(spec);
    return null;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return error.message;
  }
}
