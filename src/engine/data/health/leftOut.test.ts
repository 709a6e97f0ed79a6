import { describe, expect, it } from "vitest";
import { countProblems, healthSentence } from "./leftOut.ts";
import type { ProblemKind, RowProblem } from "../row.ts";

function problems(counts: Partial<Record<ProblemKind, number>>): RowProblem[] {
  return (Object.entries(counts) as [ProblemKind, number][]).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, row) => ({ row, kind, reason: "" })),
  );
}

describe("healthSentence", () => {
  it("names what needs a look", () => {
    const report = {
      pairs: 512,
      problems: problems({ emptyAnswer: 3, identicalPair: 12 }),
      cutAnswers: 23,
      maxTokens: 128,
    };
    expect(healthSentence(report)).toBe(
      "38 of 512 pairs need a look: 12 identical, 3 empty, 23 cut at 128 tokens.",
    );
    expect(countProblems(report.problems).get("identicalPair")).toBe(12);
  });

  it("counts every kind, and says nothing of a healthy set", () => {
    const kinds: ProblemKind[] = [
      "invalidJson",
      "unknownColumns",
      "missingColumn",
      "wrongType",
      "emptyPrompt",
      "emptyAnswer",
      "identicalPair",
      "needsChatTemplate",
    ];
    for (const kind of kinds) {
      const report = { pairs: 5, problems: problems({ [kind]: 1 }), cutAnswers: 0, maxTokens: 128 };
      expect(healthSentence(report)).toMatch(/^1 of 5 pairs needs a look: 1 [a-zA-Z ]+\.$/);
    }
    expect(healthSentence({ pairs: 5, problems: [], cutAnswers: 0, maxTokens: 128 })).toBeNull();
  });
});
