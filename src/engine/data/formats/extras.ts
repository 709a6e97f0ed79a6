/** What a pair may say of itself beside its texts: scores, a weight and the objective that it speaks for. */
import type { PairRow } from "../row.ts";
import type { Cells } from "./cells.ts";
import { BadRow, role } from "./dataFormat.ts";

/** The optional columns of pairs. */
export const extraRoles = [
  role("scoreChosen", "number", {
    column: "score_chosen",
    isOptional: true,
    aliases: ["chosen_score", "chosen_rating", "rating_chosen"],
  }),
  role("scoreRejected", "number", {
    column: "score_rejected",
    isOptional: true,
    aliases: ["rejected_score", "rejected_rating", "rating_rejected"],
  }),
  role("weight", "number", { isOptional: true }),
  role("objective", "text", { isOptional: true }),
];

/** The scores of a pair, both finite or none. */
export function readScores(cells: Cells): PairRow["scores"] {
  const [one, other] = ["scoreChosen", "scoreRejected"] as const;
  if (!cells.has(one) && !cells.has(other)) return undefined;
  if (!cells.has(one) || !cells.has(other)) {
    throw new BadRow(
      "wrongType",
      `the columns "${cells.column(one)}" and "${cells.column(other)}" must both hold numbers`,
    );
  }
  const scores = { chosen: cells.number(one), rejected: cells.number(other) };
  if (Number.isFinite(scores.chosen - scores.rejected)) return scores;
  throw new BadRow(
    "badNumber",
    `the scores are ${scores.chosen} and ${scores.rejected}, expected finite numbers`,
  );
}

/** Everything of a pair that its optional columns say. */
export function readExtras(cells: Cells): Pick<PairRow, "scores" | "weight" | "objective"> {
  const scores = readScores(cells);
  const objective = cells.has("objective") ? cells.text("objective") : undefined;
  const weight = cells.has("weight") ? cells.number("weight") : undefined;
  if (weight !== undefined && !(Number.isFinite(weight) && weight >= 0)) {
    throw new BadRow("badNumber", `the weight is ${weight}, expected a finite number of at least 0`);
  }
  return {
    ...(objective === undefined ? {} : { objective }),
    ...(scores === undefined ? {} : { scores }),
    ...(weight === undefined ? {} : { weight }),
  };
}
