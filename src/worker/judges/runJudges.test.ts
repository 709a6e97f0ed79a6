import { expect, it } from "vitest";
import type { AnswerJudge } from "../../engine/judges/answerJudge.ts";
import { numbered } from "./runJudges.ts";

const judgeCalled = (label: string): AnswerJudge => ({
  spec: { kind: "implicit" },
  label,
  score: () => Promise.resolve([]),
});

it("numbers judges of one label, and leaves the others as they are called", () => {
  const judges = ["Words", "Length", "Words"].map((label, weight) => ({ judge: judgeCalled(label), weight }));
  const found = numbered(judges, judgeCalled("Words"));
  expect(found.judges.map(({ judge, weight }) => [judge.label, weight])).toEqual([
    ["Words 1", 0],
    ["Length", 1],
    ["Words 2", 2],
  ]);
  expect(found.heldoutJudge?.label).toBe("Words 3");
  expect(numbered(judges.slice(0, 2), null)).toEqual({ judges: judges.slice(0, 2), heldoutJudge: null });
});
