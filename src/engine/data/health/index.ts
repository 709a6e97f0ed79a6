import type { HealthCheck } from "../steps/dataStep.ts";
import type { Checker } from "./checkedRow.ts";
import { conflict } from "./conflict.ts";
import { duplicate } from "./duplicate.ts";
import { equalScores } from "./equalScores.ts";
import { leakage } from "./leakage.ts";
import { longerChosen } from "./longerChosen.ts";
import { nearIdentical } from "./nearIdentical.ts";
import { truncated } from "./truncated.ts";

/** Every check of a set, in the order in which findings are told. */
export const checkers: Record<HealthCheck, Checker> = {
  leakage,
  conflict,
  duplicate,
  nearIdentical,
  equalScores,
  truncated,
  longerChosen,
};
