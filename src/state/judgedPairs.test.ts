/** Pairs of judged answers: worked examples, and what is asked of the trainer. */
import { beforeEach, expect, it } from "vitest";
import { defaultConfig } from "../engine/training/config.ts";
import type { WeightedJudge } from "../worker/protocol.ts";
import { configureTrainer, openTrainer } from "./connection.ts";
import { judgeAnswers, pairsFrom } from "./judgedPairs.ts";
import { useSetupStore } from "./setupStore.ts";
import { testDescription } from "./testDescription.ts";
import { TestTrainer } from "./testTrainer.ts";

const length: WeightedJudge = { judge: { kind: "length", words: 9 }, weight: 2 };
const words: WeightedJudge = { judge: { kind: "words", liked: ["a"], disliked: [] }, weight: -1 };
let trainer: TestTrainer;

beforeEach(() => {
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  useSetupStore.setState({
    description: testDescription,
    config: { ...defaultConfig, judges: [length, words, { ...words, weight: 0 }] },
  });
});

it("takes the best and the worst by the weighted sum, counts what makes no pair, and lists what failed", () => {
  const score = (value: number) => ({ score: value });
  const sampled = [
    { prompt: "p", answers: ["a", "b", "c"] },
    { prompt: "equal", answers: ["d", "e"] },
    { prompt: "same text", answers: ["f", " f "] },
    { prompt: "failed", answers: ["g", "h"] },
  ];
  const judged = pairsFrom(
    sampled,
    [length, words],
    [
      [score(1), score(0), score(0.5), score(1), score(2), score(0), score(1), { reason: "away" }, score(1)],
      [score(3), score(0), score(-1), score(1), score(3), score(0), score(0), score(1), score(1)],
    ],
  );
  // Sums: p −1, 0, 2; equal 1, 1; same text 0, 2; failed none, 1.
  expect(judged).toEqual({
    pairs: [{ prompt: "p", chosen: "c", rejected: "a", score_chosen: 2, score_rejected: -1 }],
    equal: 2,
    unscored: 1,
    failures: [{ judge: length.judge, prompt: "failed", answer: "g", reason: "away" }],
  });
});

it("asks every judge that counts about at most 256 answers at once", async () => {
  trainer.answers.scoreAnswers = ({ items }) => items.map((_, place) => ({ score: place }));
  const sampled = Array.from({ length: 150 }, (_, place) => ({ prompt: `${place}`, answers: ["x", "y"] }));
  const { pairs } = await judgeAnswers(sampled);
  const asked = trainer.questions("scoreAnswers") as { items: unknown[]; judge: { kind: string } }[];
  expect(asked.map(({ judge, items }) => [judge.kind, items.length])).toEqual([
    ["length", 256],
    ["length", 44],
    ["words", 256],
    ["words", 44],
  ]);
  expect(pairs).toHaveLength(150);
  expect(pairs[149]).toMatchObject({ prompt: "149", chosen: "y", score_chosen: 43 });
});

it("keeps the others when a judge cannot be asked, and refuses without one or with a person", async () => {
  trainer.refusals.set("scoreAnswers", { name: "X", code: "CFG-1", message: "No such model.", details: {} });
  const { failures, unscored } = await judgeAnswers([{ prompt: "p", answers: ["x", "y"] }]);
  expect(unscored).toBe(1);
  expect(failures.map(({ reason }) => reason)).toEqual(Array(4).fill("No such model."));
  const use = (judges: WeightedJudge[]) =>
    useSetupStore.setState({ config: { ...defaultConfig, data: "local", judges } });
  use([]);
  await expect(judgeAnswers([])).rejects.toThrow("No judge is in use");
  use([{ judge: { kind: "person" }, weight: 1 }]);
  await expect(judgeAnswers([])).rejects.toThrow("You are among the judges");
});
