import { expect, it } from "vitest";
import { testAnswers } from "../../../state/testTrainer.ts";
import { rowsText, stepMemoryText } from "./runStatus.ts";

const { preflight } = testAnswers;

it("says what shared prompts save, and nothing when they save nothing", () => {
  expect(rowsText({ ...preflight, rowsPerBatch: 312.4, rowsPerBatchUnshared: 396.1 })).toBe(
    "312 instead of 396 (−21%)",
  );
  expect(rowsText({ ...preflight, rowsPerBatch: 396.1, rowsPerBatchUnshared: 396.1 })).toBe("396");
});

it("shows what a step holds beside the estimate, once it was measured", () => {
  const room = { keeps: "everything", reason: "small", bytes: 8_100_000, layerBytes: 1 } as const;
  expect(stepMemoryText(preflight, null)).toBe("≈ 9.0 MB");
  expect(stepMemoryText(preflight, { ...room, bytes: 0 })).toBe("≈ 9.0 MB");
  expect(stepMemoryText(preflight, room)).toBe("8.1 MB (≈ 9.0 MB estimated)");
});
