// @vitest-environment happy-dom
/** The Judges tab, with a trainer that answers as told. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { act, type ReactNode } from "react";
import { refreshJudges } from "../../../state/judges.ts";
import { useTrialStore } from "../../../state/judgeTrial.ts";
import { hearRewardModel, useRewardModelStore } from "../../../state/rewardModels.ts";
import { useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { testOnlineAnswers } from "../../../state/testOnlineAnswers.ts";
import { testAnswers } from "../../../state/testTrainer.ts";
import type { JudgeCard, RewardModelSummary } from "../../../worker/protocol.ts";
import { JudgeForm } from "./JudgeForm.tsx";
import { JudgesInUse, JudgeKeptAside } from "./JudgesInUse.tsx";
import { JudgeTrial } from "./JudgeTrial.tsx";
import { RewardModelForm } from "./RewardModelForm.tsx";
import { RewardModels } from "./RewardModels.tsx";
import { JudgesView } from "./JudgesView.tsx";
import {
  area,
  closePart,
  config,
  find,
  named,
  openPart,
  page,
  press,
  show,
  trainer,
  type,
  words,
} from "./judges.testing.tsx";

beforeEach(openPart);
afterEach(closePart);

const Choice = () => (
  <>
    <JudgesInUse />
    <JudgeKeptAside />
    <JudgeForm />
  </>
);
const showWithList = async (part: ReactNode) => {
  await refreshJudges();
  await show(part);
};

it("shows what the default stands for, and keeps the set's program apart", async () => {
  await show(<JudgesView />);
  expect(find("judges-in-use")?.textContent).toContain("Kind endings");
  expect(find("judge-aside")?.textContent).toContain("Kind ending");
  expect(find("judge-aside")?.textContent).toContain("No selection and no weight ever sees it.");
  expect(find("judge-aside")?.querySelector(".setting-problem")).toBeNull();
});

it("adds a judge of words, weighs it, and takes it away again", async () => {
  await showWithList(<Choice />);
  await type(find("judge-kind"), "words");
  await type(area("judge-liked"), " kind\nhug\nkind");
  await type(area("judge-disliked"), "hit");
  await press(find("add-judge"));
  expect(config().judges).toEqual([
    { judge: { kind: "rewardModel", id: "story-kind" }, weight: 1 },
    { judge: { kind: "words", liked: ["kind", "hug"], disliked: ["hit"] }, weight: 1 },
  ]);
  expect(words()).toContain("This judge is in use.");
  await type(named("Words: kind, hug; not hit"), "-0.5");
  expect(config().judges[1]?.weight).toBe(-0.5);
  await type(named("Words: kind, hug; not hit"), "1000");
  expect(words()).toContain("Must be at most 100.");
  await press(named("Take Words: kind, hug; not hit out of use"));
  expect(config().judges).toHaveLength(1);
  await press(named("Use the set’s own"));
  expect(config().judges).toEqual([]);
});

it("makes a judge of what a card asks for, and says what is missing", async () => {
  const cards: readonly JudgeCard[] = [
    {
      kind: "length",
      label: "Length",
      help: "",
      needs: "",
      fields: [{ key: "words", label: "Words", help: "", form: "count" }],
      initial: { kind: "length", words: 20 },
    },
    {
      kind: "pattern",
      label: "Pattern",
      help: "",
      needs: "",
      fields: [{ key: "pattern", label: "Expression", help: "", form: "line" }],
      initial: { kind: "pattern", pattern: "" },
    },
    {
      kind: "person",
      label: "You",
      help: "You choose.",
      needs: "You.",
      fields: [],
      initial: { kind: "person" },
    },
  ];
  trainer.answers.listJudges = () => ({ ...testOnlineAnswers.listJudges, kinds: cards });
  await showWithList(<Choice />);
  await type(area("judge-words"), "0");
  expect(words()).toContain("Must be at least 1.");
  expect(find("keep-aside")?.hasAttribute("disabled")).toBe(true);
  await type(area("judge-words"), "12");
  await press(find("keep-aside"));
  expect(config().heldoutJudge).toEqual({ kind: "length", words: 12 });
  await type(find("judge-kind"), "pattern");
  expect(words()).toContain("Type something into “Expression”.");
  await type(area("judge-pattern"), "^Once");
  await press(find("keep-aside"));
  expect(config().heldoutJudge).toEqual({ kind: "pattern", pattern: "^Once" });
  await type(find("judge-kind"), "person");
  await press(find("add-judge"));
  expect(config().judges[1]?.judge).toEqual({ kind: "person" });
});

it("says that a judge which is also in use checks nothing", async () => {
  await showWithList(<Choice />);
  await press(find("add-judge"));
  expect(config().judges[1]?.judge).toEqual({ kind: "program", id: "kindEndings" });
  expect(find("judge-aside")?.textContent).toContain("None");
  expect(find("keep-aside")?.hasAttribute("disabled")).toBe(true);
  await act(async () =>
    useSetupStore.setState({ config: { ...config(), heldoutJudge: { kind: "program", id: "kindEndings" } } }),
  );
  expect(find("judge-aside")?.textContent).toContain(
    "“Kind ending” is also in use, and so it checks nothing.",
  );
});

it("says once what a judge in use lacks, in the trainer's words", async () => {
  trainer.answers.listJudges = () => ({ ...testOnlineAnswers.listJudges, rewardModels: [] });
  await showWithList(<JudgesInUse />);
  const judges = [
    { judge: { kind: "endpoint" as const }, weight: 1 },
    { judge: { kind: "rewardModel" as const, id: "gone" }, weight: 1 },
  ];
  await act(async () => useSetupStore.setState({ config: { ...config(), rounds: 2, judges } }));
  const told = [
    "The language model has no address yet: type it in under Judges.",
    'There is no reward model "gone" at hand: train it or open its files again, or choose another one.',
  ];
  const problems = told.map((message) => ({ field: "judges", message }));
  await act(async () => useSetupStore.setState({ preflight: { ...testAnswers.preflight, problems } }));
  expect([...page.querySelectorAll(".setting-problem")].map((one) => one.textContent)).toEqual(told);
});

it("scores an answer with every judge, and lists why one did not", async () => {
  trainer.answers.scoreAnswers = ({ judge }) =>
    judge.kind === "program" ? [{ reason: "too short" }] : [{ score: 0.25 }];
  await showWithList(<JudgeTrial />);
  await press(named("A chosen answer"));
  expect(useTrialStore.getState().answer).toBe("Tom helped her.");
  await press(find("try-judges"));
  const rows = [...find("trial-scores")!.querySelectorAll("tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  );
  expect(rows.slice(1)).toEqual([
    ["Kind endings", "0.25", "× 1"],
    ["Kind ending", "too short", "kept aside"],
    ["Together", "0.25", "the sum"],
  ]);
});

it("shows how good a reward model is, and what it was not trained on", async () => {
  await showWithList(<RewardModels />);
  const card = find("reward-story-kind")!;
  const text = card.textContent.replaceAll(/\s+/g, " ");
  expect(text).toContain("comes with the studio");
  expect(text).toContain("95% 90% to 98%");
  expect(text).toContain("640 pairs of Kind endings; checked on 160");
  expect(card.querySelectorAll("tbody tr")).toHaveLength(2);
  expect(named("Delete Kind endings")).toBeUndefined();
  expect(named("In use: Kind endings")?.hasAttribute("disabled")).toBe(true);
});

it("says who misses a reward model that is to be deleted", async () => {
  const mine = testOnlineAnswers.trainRewardModel;
  trainer.answers.listJudges = () => ({ ...testOnlineAnswers.listJudges, rewardModels: [mine] });
  await showWithList(<RewardModels />);
  const judge = { kind: "rewardModel" as const, id: mine.id };
  const question = async (change: Partial<ReturnType<typeof config>>) => {
    await act(async () => useSetupStore.setState({ config: { ...config(), ...change } }));
    await press(named("Delete Mine"));
    const text = page.querySelector(".delete-question > span")?.textContent;
    await press(named("Keep it"));
    return text;
  };
  expect(await question({})).toBe("It is gone unless you saved it.");
  expect(await question({ heldoutJudge: judge })).toMatch(/^It is the judge kept aside/);
  expect(await question({ heldoutJudge: null, judges: [{ judge, weight: 1 }] })).toMatch(
    /^It is a judge in use/,
  );
});

it("trains with no number that is not in its box", async () => {
  await showWithList(<RewardModelForm />);
  await type(area("reward-steps"), "");
  expect((area("reward-steps") as HTMLInputElement).value).toBe("");
  expect(words()).toContain("A whole number is needed here.");
  expect(find("reward-train")?.hasAttribute("disabled")).toBe(true);
  await type(area("reward-steps"), "12");
  await press(find("reward-train"));
  expect(trainer.questions("trainRewardModel")).toMatchObject([{ settings: { steps: 12 } }]);
});

it("trains a reward model, follows it, and refuses while a run goes on", async () => {
  let answer: (made: RewardModelSummary) => void = () => undefined;
  trainer.answers.trainRewardModel = () => new Promise((resolve) => (answer = resolve)) as never;
  await showWithList(<RewardModelForm />);
  await press(find("reward-train"));
  await act(async () => useRewardModelStore.setState({ isTraining: true }));
  await act(async () =>
    hearRewardModel({ type: "rewardModel", step: 40, steps: 100, loss: 0.31, accuracy: 0.875 }),
  );
  expect(find("reward-live")?.textContent).toContain(
    "step 40 of 100 · loss 0.31 · right on 88% of the batch",
  );
  await press(find("reward-stop"));
  expect(trainer.questions("stopRewardModel")).toEqual([null]);
  await act(async () => answer(testOnlineAnswers.trainRewardModel));
  await act(async () => {
    useRewardModelStore.setState({ isTraining: false });
    useRunStore.setState({ phase: "training" });
  });
  expect(find("reward-train")?.hasAttribute("disabled")).toBe(true);
});
