import { expect, it } from "vitest";
import { testDescription } from "../../../state/testDescription.ts";
import { stepSentence } from "./stepSentence.ts";

it("says every change in a plain sentence", () => {
  const say = (step: Parameters<typeof stepSentence>[0]) => stepSentence(step, testDescription);
  expect(say({ kind: "drop", check: "duplicate" })).toBe("Leave out pairs that are in the set already.");
  expect(say({ kind: "subset", pairs: 1, by: "random", seed: 7 })).toBe(
    "Keep 1 training pair drawn by seed 7.",
  );
  expect(say({ kind: "subset", pairs: 1200, by: "shortest", seed: 7 })).toBe(
    "Keep 1,200 training pairs with the shortest answers.",
  );
  expect(say({ kind: "mix", data: "helpful-harmless", objective: "harmless", share: 0.25, seed: 3 })).toBe(
    "Take 25% of the training pairs from Helpful vs harmless (Harmless) instead (seed 3).",
  );
  expect(say({ kind: "mix", data: "kind-endings", objective: "kind", share: 0.5, seed: 3 })).toContain(
    "from Kind endings instead",
  );
  expect(say({ kind: "revise", row: 4, chosen: "Tom helped." })).toBe("Use your own chosen answer in row 5.");
  expect(say({ kind: "flip", share: 0.1, seed: 1 })).toBe(
    "Swap the answers of 10% of the training pairs (seed 1).",
  );
});
