import { checkers } from "../health/index.ts";
import type { CheckedRow } from "../health/checkedRow.ts";
import type { HealthCheck } from "./dataStep.ts";
import { gapOf, type RowSet, type SetRow } from "./setRow.ts";
import { DataStepError, pairCount, type StepContext, type StepOf } from "./stepContext.ts";

/** What a check names, in the words of a step's sentence. */
const NAMES: Record<HealthCheck, string> = {
  nearIdentical: "with nearly identical answers",
  duplicate: "repeating an earlier one",
  conflict: "contradicting one another",
  longerChosen: "with the longer answer chosen",
  truncated: "longer than the limit",
  leakage: "with a prompt that is held out",
  equalScores: "with equal scores",
};

/** Leaves out the rows that a check of the set's health names, held-out ones too where it names them. */
export const drop: StepOf<"drop"> = async (set, { check }, context) => {
  if (check === "longerChosen") {
    throw new DataStepError(
      "Longer chosen answers are a leaning of the whole set, which leaving rows out does not mend: choose a method that divides by length.",
    );
  }
  const work = checkers[check](await checkedRows(set, check, context), { maxTokens: 0 });
  let next = work.next();
  while (next.done !== true) {
    await context.giveWay();
    next = work.next();
  }
  const left = new Set(next.value?.rows);
  const keep = (rows: readonly SetRow[]) => rows.filter(({ place }) => !left.has(place));
  return {
    set: { ...set, train: keep(set.train), heldout: keep(set.heldout) },
    sentence: `Left out ${pairCount(left.size)} ${NAMES[check]}.`,
  };
};

/** Rows with no more than the check reads: tokens and judges take time. */
async function checkedRows(set: RowSet, check: HealthCheck, context: StepContext): Promise<CheckedRow[]> {
  const checked: CheckedRow[] = [];
  for (const split of ["train", "heldout"] as const) {
    for (const row of set[split]) {
      checked.push({
        ...row,
        split,
        gap: check === "equalScores" ? gapOf(row) : null,
        tokens: check === "truncated" ? context.measure(row) : null,
      });
      await context.giveWay();
    }
  }
  return checked;
}
