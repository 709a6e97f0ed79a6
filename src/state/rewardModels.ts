/** Reward models: trained on the loaded pairs, watched, saved, opened and removed. */
import { create } from "zustand";
import type { RewardModelEvent, RewardModelSettings } from "../worker/protocol.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { downloadFile } from "./download.ts";
import { refreshJudges } from "./judges.ts";
import { handOver } from "./loading.ts";
import { addLog } from "./runStore.ts";
import { BucketSeries, type SeriesPoint } from "./series.ts";

/** A number that is drawn while a reward model is trained. */
export type RewardMetric = "loss" | "accuracy";

interface RewardModelState {
  readonly settings: RewardModelSettings;
  readonly isTraining: boolean;
  /** The newest word of the trainer; null before the first step. */
  readonly event: RewardModelEvent | null;
  readonly points: Readonly<Record<RewardMetric, readonly SeriesPoint[]>>;
  /** The id of the one that was made or opened last. */
  readonly newest: string | null;
  /** Why something was not done; null when there is nothing to say. */
  readonly refusal: string | null;
}

/** What the form accepts. */
export const rewardLimits = {
  steps: [1, 100_000],
  batchPairs: [1, 256],
  learningRate: [1e-6, 1],
  loraRank: [1, 128],
  loraAlpha: [0.1, 512],
  centering: [0, 1],
  seed: [0, 2_147_483_647],
} as const satisfies Record<Exclude<keyof RewardModelSettings, "label">, readonly [number, number]>;

const longestLabel = 200;

const emptySeries = () => ({ loss: new BucketSeries(), accuracy: new BucketSeries() });
let series = emptySeries();

/** The reward model that is trained. */
export const useRewardModelStore = create<RewardModelState>(() => ({
  settings: {
    label: "My reward model",
    steps: 100,
    batchPairs: 8,
    learningRate: 2e-3,
    loraRank: 4,
    loraAlpha: 8,
    centering: 0.01,
    seed: 7,
  },
  isTraining: false,
  event: null,
  points: { loss: [], accuracy: [] },
  newest: null,
  refusal: null,
}));

/** Changes what the next training is set up with. */
export function editRewardModel(change: Partial<RewardModelSettings>): void {
  useRewardModelStore.setState(({ settings }) => ({ settings: { ...settings, ...change } }));
}

/** Why settings cannot be trained with, by their field; empty when they can. */
export function rewardProblems(
  settings: RewardModelSettings,
): Readonly<Partial<Record<keyof RewardModelSettings, string>>> {
  const problems: Partial<Record<keyof RewardModelSettings, string>> = {};
  if (settings.label.trim() === "") problems.label = "A name is needed, to tell it from others.";
  if (settings.label.length > longestLabel) problems.label = `At most ${longestLabel} characters.`;
  for (const field of Object.keys(rewardLimits) as (keyof typeof rewardLimits)[]) {
    const [minimum, maximum] = rewardLimits[field];
    const value = settings[field];
    const mayBeReal = field === "learningRate" || field === "loraAlpha" || field === "centering";
    if (!mayBeReal && !Number.isInteger(value)) problems[field] = "A whole number is needed here.";
    else if (!(value >= minimum && value <= maximum))
      problems[field] = `Must be between ${minimum} and ${maximum}.`;
  }
  return problems;
}

/** Whether the training under way was told to end: that it did is then no news. */
let isStopping = false;

/** Trains a reward model on the loaded pairs; the list has it afterwards. */
export async function trainRewardModel(): Promise<void> {
  const { settings, isTraining } = useRewardModelStore.getState();
  if (isTraining) return;
  series = emptySeries();
  useRewardModelStore.setState({
    isTraining: true,
    event: null,
    points: { loss: [], accuracy: [] },
    refusal: null,
  });
  await attempt(async () => {
    const { id, label } = await callTrainer("trainRewardModel", { settings });
    useRewardModelStore.setState({ newest: id });
    addLog({ level: "info", message: `Reward model “${label}” is trained.` });
  });
  useRewardModelStore.setState({ isTraining: false, ...(isStopping && { refusal: null }) });
  isStopping = false;
}

/** Ends the training under way; nothing of it is kept. */
export async function stopRewardModel(): Promise<void> {
  isStopping = useRewardModelStore.getState().isTraining;
  try {
    await callTrainer("stopRewardModel", null);
  } catch (error) {
    isStopping = false;
    useRewardModelStore.setState({ refusal: sentenceOf(error) });
  }
}

/** Takes in what the trainer says of the training. */
export function hearRewardModel(event: RewardModelEvent): void {
  if (!useRewardModelStore.getState().isTraining) return;
  series.loss.append(event.step, event.loss);
  series.accuracy.append(event.step, event.accuracy);
  useRewardModelStore.setState({
    event,
    points: { loss: series.loss.points(), accuracy: series.accuracy.points() },
  });
}

/** Saves a reward model's files. */
export function saveRewardModel(id: string): Promise<void> {
  return attempt(async () => {
    for (const file of await callTrainer("saveRewardModel", { id })) downloadFile(file);
  });
}

/** Opens the files of a reward model. */
export function openRewardModel(files: readonly File[]): Promise<void> {
  return attempt(async () => {
    const { id } = await callTrainer("openRewardModel", { files: handOver(files) });
    useRewardModelStore.setState({ newest: id });
  });
}

/** Removes a reward model from the list. */
export function removeRewardModel(id: string): Promise<void> {
  return attempt(() => callTrainer("removeRewardModel", { id }));
}

async function attempt(work: () => Promise<unknown>): Promise<void> {
  useRewardModelStore.setState({ refusal: null });
  try {
    await work();
  } catch (error) {
    useRewardModelStore.setState({ refusal: sentenceOf(error) });
    return;
  }
  await refreshJudges();
}
