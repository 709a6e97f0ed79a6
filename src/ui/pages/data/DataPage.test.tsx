// @vitest-environment happy-dom
/** Health, changes and the first batch on the Data screen, with a trainer that answers as told. */
import { act } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { settle as settleEdits } from "../../../state/editing.ts";
import { usePlaceStore } from "../../../state/place.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testAnswers } from "../../../state/testTrainer.ts";
import {
  button,
  closeDataPage,
  config,
  find,
  openDataPage,
  page,
  press,
  settle,
  show,
  trainer,
  type,
  words,
} from "./dataPage.testing.tsx";

beforeEach(openDataPage);
afterEach(closeDataPage);

it("says what a finding means, shows its rows, leaves them out when asked, and puts them back", async () => {
  await show("health");
  expect(find("finding-duplicate")?.textContent).toContain("2 pairs are in the set more than once");
  expect(find("longer-chosen")?.textContent).toContain("in 52% of the pairs");
  expect(config().dataSteps).toEqual([]);
  await press(find("leave-out-duplicate"));
  expect(config().dataSteps).toEqual([{ kind: "drop", check: "duplicate" }]);
  await press(button("Put them back"));
  expect(config().dataSteps).toEqual([]);
  await press(button("Show rows: Duplicates"));
  expect(usePlaceStore.getState().tabs.data).toBe("pairs");
  expect(trainer.questions("dataRows").at(-1)).toMatchObject({ flag: "duplicate" });
});

it("says that all is clear", async () => {
  trainer.answers.dataHealth = () => ({ ...testAnswers.dataHealth, findings: [] });
  await show("health");
  expect(find("all-clear")?.textContent).toContain("All clear");
});

it("tells a refusal in the trainer's words, and asks again", async () => {
  const message = "The set is still being read.";
  trainer.refusals.set("dataHealth", { name: "Error", code: "RUN-1", message, details: {} });
  await show("health");
  expect(page.querySelector("[role=alert]")?.textContent).toContain(message);
  trainer.refusals.clear();
  await press(button("Try again"));
  expect(find("finding-duplicate")).not.toBeNull();
});

it("lists changes in order, reads the set with them, and says what came of it", async () => {
  await show("changes");
  expect(find("no-steps")?.textContent).toContain("the set is trained as it was read");
  await press(find("step-add"));
  await type(find("step-kind")!, "flip");
  await press(find("step-add"));
  expect(config().dataSteps).toEqual([
    { kind: "subset", pairs: 100, by: "random", seed: 7 },
    { kind: "flip", share: 0.2, seed: 7 },
  ]);
  expect(find("step-1")?.textContent).toContain("Swap the answers of 20% of the training pairs (seed 7).");
  const sentence = "Drew 100 of 512 training pairs.";
  trainer.answers.loadData = ({ steps }) => ({
    ...testAnswers.loadData,
    trainPairs: 100,
    steps: steps.map(({ kind }) => ({ kind, sentence, trainPairs: 100 })),
  });
  await act(async () => settleEdits());
  await settle();
  expect(trainer.questions("loadData").at(-1)).toMatchObject({ steps: config().dataSteps });
  expect(find("step-outcome")?.textContent).toBe(
    "640 pairs before; now 100 training pairs and 128 held out.",
  );
  expect(find("step-0")?.textContent).toContain(`${sentence} Training pairs then: 100.`);
  expect(find("data-figures")?.textContent).toContain("640 → 228");
  await press(button("Undo the last"));
  expect(config().dataSteps).toHaveLength(1);
});

it("says what to do about a change that cannot be made", async () => {
  const message = "Relabelling needs scores: none of the 512 training pairs has any.";
  trainer.refusals.set("loadData", { name: "Error", code: "CFG-1", message, details: {} });
  await show("changes");
  await press(find("step-add"));
  await act(async () => settleEdits());
  await settle();
  expect(words()).toContain(message);
  expect(find("step-refused")?.textContent).toContain("not read with these changes");
  trainer.refusals.clear();
  await press(button("undo the last"));
  expect(config().dataSteps).toEqual([]);
});

it("says that a change waits while a run is on the screen, and reads it when told", async () => {
  useSetupStore.setState({ runningConfig: config() });
  useRunStore.setState({ phase: "done" });
  await show("changes");
  await press(find("step-add"));
  expect(find("data-waiting")?.textContent).toContain("is read when the next run starts");
  await press(button("Read it now and clear the run"));
  expect(trainer.questions("loadData").at(-1)).toMatchObject({ steps: config().dataSteps });
  expect(find("data-waiting")).toBeNull();
});

it("shows the first batch token by token", async () => {
  const seen = { tokens: ["<s>", " Tom", "\n"], ids: Int32Array.of(1, 4, 9), isScored: [false, true, true] };
  trainer.answers.firstBatch = () => [
    { row: 3, promptTokens: 1, chosen: seen, rejected: seen, isPromptCut: true, isAnswerCut: false },
  ];
  await show("batch");
  expect(find("seen-3")?.textContent).toContain("Row 4 prompt 1 tokens · prompt cut at its start");
  const tokens = [...find("seen-3")!.querySelectorAll("[aria-label=chosen] .seen-token")];
  expect(tokens.map((token) => token.textContent)).toEqual(["<s>", "·Tom", "⏎\n"]);
  expect(tokens.map((token) => token.className)).toEqual([
    "seen-token seen-special",
    "seen-token seen-scored",
    "seen-token seen-scored",
  ]);
  expect(words()).toContain("3 tokens, 2 scored");
});
