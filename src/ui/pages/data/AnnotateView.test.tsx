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

it("lets the judges in use make pairs of several answers, lists what failed, and joins them to the set", async () => {
  trainer.answers.sampleAnswers = ({ answersPerPrompt }) =>
    ["p0", "p1", "p2"].map((prompt) => ({
      prompt,
      answers: Array.from({ length: answersPerPrompt }, (_, place) => ` answer ${place}`),
    }));
  trainer.answers.scoreAnswers = ({ items }) =>
    items.map(({ prompt }, place) => {
      if (prompt === "p1") return { score: 0.5 };
      return place === 8 ? { reason: "too long" } : { score: place };
    });
  await show("annotate");
  await press(page.querySelector('input[value="judges"]'));
  expect(find("sampling-judges")?.textContent).toContain("Kind endings");
  await type(find("sampling-answers")!, "3");
  await press(find("sample-answers"));
  expect(trainer.questions("sampleAnswers")).toMatchObject([
    { prompts: null, count: 20, answersPerPrompt: 3 },
  ]);
  expect(trainer.questions("scoreAnswers")).toMatchObject([
    { judge: { kind: "rewardModel", id: "story-kind" }, items: { length: 9 } },
  ]);
  expect(find("judged-summary")?.textContent).toBe(
    "2 pairs from the judges · 1 left out: texts or scores were equal",
  );
  expect(find("judged-failures")?.textContent).toContain("Kind endings: too long “answer 2”");
  await press(find("use-pairs"));
  const [file] = useSetupStore.getState().chosenFiles.data ?? [];
  const lines = (await file!.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    { prompt: "p0", chosen: " answer 2", rejected: " answer 0", score_chosen: 2, score_rejected: 0 },
    { prompt: "p2", chosen: " answer 1", rejected: " answer 0", score_chosen: 7, score_rejected: 6 },
  ]);
  expect(config().data).toBe("local");
  await press(button("Start over"));
  expect(find("sample-answers")).not.toBeNull();
});
