import { assistant, user } from "./cells.ts";
import { BadRow, role, type DataFormat } from "./dataFormat.ts";

/** SHP: two comments on a post, the more liked one chosen. Source: huggingface.co/datasets/stanfordnlp/SHP. */
export const shp: DataFormat = {
  id: "shp",
  label: "Two comments and their votes (SHP)",
  kind: "pairs",
  roles: [
    role("prompt", "text", { column: "history" }),
    role("a", "text", { column: "human_ref_A" }),
    role("b", "text", { column: "human_ref_B" }),
    role("isA", "boolean", { column: "labels" }),
    role("scoreA", "number", { column: "score_A", isOptional: true }),
    role("scoreB", "number", { column: "score_B", isOptional: true }),
    role("ratio", "number", { column: "score_ratio", isOptional: true }),
  ],
  readRow: (cells, { scoreRatioFloor }) => {
    const ratio = cells.has("ratio") ? cells.number("ratio") : Infinity;
    if (!(ratio >= scoreRatioFloor))
      throw new BadRow(
        "lowScoreRatio",
        `the scores' ratio is ${ratio}, at least ${scoreRatioFloor} was asked for`,
      );
    const isA = cells.boolean("isA");
    const sides = isA ? (["a", "b"] as const) : (["b", "a"] as const);
    const [chosen, rejected] = sides.map((side) => assistant(cells.text(side)));
    const hasScores = cells.has("scoreA") && cells.has("scoreB");
    const [a, b] = hasScores ? [cells.number("scoreA"), cells.number("scoreB")] : [0, 0];
    return {
      kind: "pair",
      prompt: [user(cells.text("prompt"))],
      chosen: chosen ?? [],
      rejected: rejected ?? [],
      ...(hasScores ? { scores: isA ? { chosen: a, rejected: b } : { chosen: b, rejected: a } } : {}),
    };
  },
};
