/** The training of a reward model as the page follows it, against a trainer that answers as told. */
import { beforeEach, expect, it } from "vitest";
import { configureTrainer, openTrainer } from "./connection.ts";
import { judgeList } from "./judges.ts";
import {
  editRewardModel,
  hearRewardModel,
  openRewardModel,
  rewardProblems,
  stopRewardModel,
  trainRewardModel,
  useRewardModelStore,
} from "./rewardModels.ts";
import { TestTrainer } from "./testTrainer.ts";

const start = useRewardModelStore.getState();
const state = () => useRewardModelStore.getState();
let trainer: TestTrainer;

beforeEach(() => {
  trainer = new TestTrainer();
  configureTrainer(() => trainer.port, { onEvent: () => undefined, onDeath: () => undefined });
  openTrainer();
  useRewardModelStore.setState(start, true);
  judgeList.forget();
});

it("trains with what was set, draws what is told meanwhile, and lists what was made", async () => {
  editRewardModel({ steps: 2, label: "Kind" });
  const trained = trainRewardModel();
  expect(state().isTraining).toBe(true);
  hearRewardModel({ type: "rewardModel", step: 1, steps: 2, loss: 0.7, accuracy: 0.5 });
  hearRewardModel({ type: "rewardModel", step: 2, steps: 2, loss: 0.4, accuracy: 1 });
  expect(state().points.loss).toEqual([
    { x: 1, y: 0.7 },
    { x: 2, y: 0.4 },
  ]);
  await trained;
  expect(trainer.questions("trainRewardModel")).toEqual([
    { settings: { ...start.settings, steps: 2, label: "Kind" } },
  ]);
  expect(state()).toMatchObject({ isTraining: false, newest: "mine", refusal: null });
  expect(trainer.questions("listJudges")).toHaveLength(1);
  // A late word of a training that is over changes nothing.
  hearRewardModel({ type: "rewardModel", step: 3, steps: 2, loss: 9, accuracy: 0 });
  expect(state().points.loss).toHaveLength(2);
});

it("says why it was not trained", async () => {
  trainer.refusals.set("trainRewardModel", { name: "X", code: "CFG-1", message: "Stopped.", details: {} });
  await trainRewardModel();
  expect(state()).toMatchObject({ isTraining: false, refusal: "Stopped.", newest: null });
  expect(trainer.questions("listJudges")).toEqual([]);
});

it("reports no error to the person who stopped it", async () => {
  trainer.refusals.set("trainRewardModel", { name: "X", code: "RUN-1", message: "Stopped.", details: {} });
  const trained = trainRewardModel();
  await stopRewardModel();
  await trained;
  expect(trainer.questions("stopRewardModel")).toEqual([null]);
  expect(state()).toMatchObject({ isTraining: false, refusal: null, newest: null });
  // The next one is not stopped, and its failure is news, also after a stop of nothing.
  await stopRewardModel();
  await trainRewardModel();
  expect(state().refusal).toBe("Stopped.");
});

it("opens files", async () => {
  const file = new File(["x"], "adapter_model.safetensors");
  await openRewardModel([file]);
  expect(trainer.questions("openRewardModel")).toEqual([{ files: [{ name: file.name, bytes: file }] }]);
  expect(state().newest).toBe("opened");
});

it("names the field that cannot be trained with", () => {
  expect(rewardProblems(start.settings)).toEqual({});
  const broken = { ...start.settings, steps: 0, batchPairs: 1.5, learningRate: Number.NaN, label: " " };
  expect(Object.keys(rewardProblems(broken)).sort()).toEqual([
    "batchPairs",
    "label",
    "learningRate",
    "steps",
  ]);
});
