// @vitest-environment happy-dom
/** The pairs on the Data screen, with a trainer that answers as told. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { testAnswers } from "../../../state/testTrainer.ts";
import {
  button,
  closeDataPage,
  config,
  find,
  key,
  openDataPage,
  page,
  press,
  show,
  trainer,
  type,
} from "./dataPage.testing.tsx";

beforeEach(openDataPage);
afterEach(closeDataPage);

it("lists pairs with what their answers do not share, and opens and revises one", async () => {
  await show("pairs");
  const row = find("pair-0");
  expect([...(row?.querySelectorAll("mark") ?? [])].map((mark) => mark.textContent)).toEqual([
    "helped her.",
    "laughed.",
  ]);
  await press(row?.querySelector("button"));
  await press(button("Revise an answer"));
  const [chosen] = [
    ...page.querySelectorAll<HTMLTextAreaElement>(".pair-editor textarea:not([aria-hidden])"),
  ];
  await press(button("Start from the rejected answer"));
  expect(chosen?.value).toBe(" Tom laughed.");
  await type(chosen!, " Tom laughed with her.");
  // laughed. → laughed, + with, + her.
  expect(find("edit-distance")?.textContent).toContain("3 words of 2 to change from rejected to chosen.");
  await press(button("Use this text"));
  expect(config().dataSteps).toEqual([{ kind: "revise", row: 0, chosen: " Tom laughed with her." }]);
});

it("filters the pairs in the trainer, and clears a filter that nothing matches", async () => {
  await show("pairs");
  trainer.answers.dataRows = () => ({ rows: [], matches: 0 });
  await type(find("pair-flag")!, "truncated");
  expect(trainer.questions("dataRows").at(-1)).toMatchObject({ flag: "truncated", from: 0 });
  expect(find("pair-count")?.textContent).toContain("No pair matches.");
  delete trainer.answers.dataRows;
  await press(button("Clear the filter"));
  expect(trainer.questions("dataRows").at(-1)).toMatchObject({ flag: null, search: "" });
  expect(find("pair-0")).not.toBeNull();
});

it("walks through many pairs by key, asking for those that come into view", async () => {
  trainer.answers.dataRows = ({ from, count }) => ({
    matches: 500,
    rows: Array.from({ length: count }, (_, place) => ({
      ...testAnswers.dataRows.rows[0]!,
      row: from + place,
    })),
  });
  await show("pairs");
  const first = find("pair-0")?.querySelector("button");
  expect(first?.tabIndex).toBe(0);
  first?.focus();
  await key("ArrowDown", first!);
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Row 2, show all of it");
  expect(page.querySelectorAll(".row-button[tabindex='0']").length).toBe(1);
  expect(page.querySelector("[role=grid]")?.getAttribute("aria-rowcount")).toBe("501");
});
