// @vitest-environment happy-dom
/** Blind choices on the Data screen, with a trainer that answers as told. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { useSetupStore } from "../../../state/setupStore.ts";
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

it("annotates by key, takes back, keeps what was decided, and makes a set of the choices", async () => {
  trainer.answers.sampleAnswers = () =>
    Array.from({ length: 5 }, (_, place) => ({
      prompt: `p${place}`,
      answers: [`one ${place}`, `two ${place}`],
    }));
  await show("annotate");
  await press(find("sample-answers"));
  expect(trainer.questions("sampleAnswers")).toEqual([
    { prompts: null, count: 20, answersPerPrompt: 2, temperature: 0.9, maxNewTokens: 48, seed: 7 },
  ]);
  const left = find("blind-a")?.textContent;
  await key("1");
  await key("ArrowRight");
  await key("0");
  expect(find("annotate-progress")?.textContent).toBe("3 of 5 decided · 2 pairs · 1 without a pair");
  await key("u");
  await key("x");
  await key("2");
  await key("2");
  expect(find("annotate-progress")?.textContent).toBe("5 of 5 decided · 4 pairs · 1 without a pair");
  expect(JSON.parse(localStorage.getItem("prefscope.annotation") ?? "").verdicts).toEqual([
    "a",
    "b",
    "bad",
    "b",
    "b",
  ]);
  await key("u");
  expect(find("annotate-progress")?.textContent).toContain("4 of 5 decided");
  await press(find("use-pairs"));
  const [file] = useSetupStore.getState().chosenFiles.data ?? [];
  const lines = (await file!.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({ prompt: "p0", chosen: left });
  expect(config().data).toBe("local");
});

it("takes no key for a choice while somebody types", async () => {
  await show("annotate");
  await press(find("sample-answers"));
  await press(button("Edit answer A"));
  const box = page.querySelector<HTMLTextAreaElement>(".blind-answer textarea:not([aria-hidden])")!;
  await key("1", box);
  await key("x", box);
  expect(find("annotate-progress")?.textContent).toContain("0 of 1 decided");
  await type(box, "Mine.");
  await press(button("Use this text"));
  expect(find("blind-a")?.textContent).toBe("Mine.");
});
