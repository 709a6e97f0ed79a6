// @vitest-environment happy-dom
/** A person judges the answers of a round. */
import { act } from "react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { usePlaceStore } from "../../../state/place.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { JudgementNotice } from "../train/JudgementNotice.tsx";
import { JudgementPanel } from "./JudgementPanel.tsx";
import { closePart, find, key, named, openPart, page, press, show, trainer } from "./judges.testing.tsx";

const question = {
  id: 3,
  groups: [
    { prompt: "Ben fell.", answers: [" Tom helped.", " Tom laughed."] },
    { prompt: "Lily cried.", answers: [" One.", " Two.", " Three."] },
  ],
};

beforeEach(openPart);
afterEach(closePart);

const ask = () => act(async () => useRunStore.setState({ phase: "judging", judgement: question }));

it("shows one group after another without scores, by mouse and by key, and sends at the end", async () => {
  await show(<JudgementPanel />);
  expect(page.querySelector("section")).toBeNull();
  await ask();
  expect(find("judgement-prompt")?.textContent).toBe("Ben fell.");
  expect(find("send-judgement")).toBeNull();
  await press(find("judgement-1"));
  expect(find("judgement-progress")?.textContent).toBe("1 of 2 prompts decided");
  await key("3");
  expect(find("judgement-2")?.getAttribute("aria-pressed")).toBe("true");
  expect(page.textContent).toContain("Which answer is the worst?");
  await key("u");
  expect(find("judgement-2")?.getAttribute("aria-pressed")).toBe("false");
  await key("2");
  await key("1");
  await press(find("send-judgement"));
  expect(trainer.questions("giveJudgement")).toEqual([
    {
      id: 3,
      choices: [
        { best: 1, worst: 0 },
        { best: 1, worst: 0 },
      ],
    },
  ]);
  expect(page.querySelector("section")).toBeNull();
});

it("takes 0 for equal answers, and no key while somebody types", async () => {
  await show(
    <>
      <JudgementPanel />
      <input aria-label="Elsewhere" />
    </>,
  );
  await ask();
  await key("1", named("Elsewhere"));
  expect(find("judgement-progress")?.textContent).toBe("0 of 2 prompts decided");
  await key("0");
  expect(find("judgement-progress")?.textContent).toBe("1 of 2 prompts decided · 1 without a pair");
});

it("says before sending that a round without any pair ends the run, and not once there is one", async () => {
  await show(<JudgementPanel />);
  await ask();
  expect(find("judgement-no-pair")).toBeNull();
  await key("0");
  await key("0");
  expect(find("send-judgement")).not.toBeNull();
  expect(find("judgement-no-pair")?.textContent).toContain("A round without any pair ends the run");
  await key("u");
  await key("1");
  await key("2");
  expect(find("send-judgement")).not.toBeNull();
  expect(find("judgement-no-pair")).toBeNull();
});

it("is announced on the Train screen, and gone when the run is stopped", async () => {
  await show(<JudgementNotice />);
  await ask();
  expect(find("judgement-notice")?.textContent).toContain("your judgement of 2 prompts");
  await press(named("Judge the answers"));
  expect(usePlaceStore.getState().screen).toBe("online");
  await act(async () => useRunStore.setState({ phase: "stopped" }));
  expect(find("judgement-notice")).toBeNull();
});
