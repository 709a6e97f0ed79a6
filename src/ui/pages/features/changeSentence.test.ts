import { expect, it } from "vitest";
import { testAnswers } from "../../../state/testTrainer.ts";
import { reportSentence } from "./changeSentence.ts";

const report = testAnswers.changeReport;

it("counts findings among active features and says how they were tested", () => {
  expect(reportSentence(report)).toBe(
    "1 of 2 active features changed more than chance explains (5 % false discovery rate, 2,000 sign flips over 64 pairs).",
  );
  const none = { ...report, changes: report.changes.filter(({ isFinding }) => !isFinding) };
  expect(reportSentence(none)).toMatch(/^None of 1 active feature changed more/);
});
