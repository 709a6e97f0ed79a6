/** Trains a reward model on the loaded pairs, and measures it on the held-out ones. */
import { measureQuality } from "../../engine/rewardModel/quality.ts";
import { placeRewardModel, type RewardModel } from "../../engine/rewardModel/rewardModel.ts";
import { trainRewardModel } from "../../engine/rewardModel/trainRewardModel.ts";
import { refuse } from "../errorReport.ts";
import type { OwnModel } from "../keptReference.ts";
import type { LoadedData } from "../library.ts";
import type { RewardModelEvent, RewardModelQuality, RewardModelSettings } from "../protocol.ts";
import { printOf, type ShelvedReward } from "./rewardShelf.ts";

/** Reports cross the wall at most ten times a second. */
const TELL_EVERY_MS = 100;
const LONGEST_LABEL = 200;

/** What a training is made on, and who hears of it. */
export interface RewardTraining {
  readonly owner: OwnModel;
  readonly data: LoadedData;
  readonly settings: RewardModelSettings;
  readonly emit: (event: RewardModelEvent) => void;
  readonly signal: AbortSignal;
}

/** Trains and measures. Refuses settings and pairs that cannot be trained on; rejects with the signal's reason once it is stopped, and nothing is left on the device. */
export async function trainReward({
  owner,
  data,
  settings,
  emit,
  signal,
}: RewardTraining): Promise<ShelvedReward> {
  const problem = settingProblem(settings) ?? pairProblem(data);
  if (problem !== null) refuse("CFG-1", problem);
  const training = trainRewardModel(owner.model, { trainPairs: data.train, settings });
  const tell = teller(settings.steps, emit);
  let reward: RewardModel;
  try {
    for (;;) {
      const next = await training.next();
      signal.throwIfAborted();
      if (next.done === true) {
        reward = next.value;
        break;
      }
      tell(next.value);
      await nextTask();
    }
  } finally {
    await training.return(undefined as never);
  }
  const quality = await qualityOf(owner, reward, data);
  signal.throwIfAborted();
  const label = settings.label.trim() === "" ? `Trained on ${data.summary.label}` : settings.label.trim();
  return {
    reward,
    card: { label, model: owner.id, quality },
    origin: "trained",
    owner: printOf(owner),
  };
}

/** What is wrong with the first setting that is out of its range; null where none is. */
function settingProblem({ label, ...settings }: RewardModelSettings): string | null {
  if (label.length > LONGEST_LABEL)
    return `The name has ${label.length} characters; it has at most ${LONGEST_LABEL}.`;
  for (const [key, what, least, most] of [
    ["steps", "The number of steps", 1, 100_000],
    ["batchPairs", "The number of pairs of a step", 1, 256],
    ["learningRate", "The learning rate", Number.MIN_VALUE, 1],
    ["loraRank", "The rank", 1, 128],
    ["loraAlpha", "Alpha", 0.1, 512],
    ["centering", "The weight that keeps rewards around 0", 0, 100],
    ["seed", "The seed", 0, 2_147_483_647],
  ] as const) {
    const value = settings[key];
    const from = least === Number.MIN_VALUE ? "above 0" : `from ${least}`;
    if (!(value >= least && value <= most)) return `${what} is ${value}: it goes ${from} to ${most}.`;
  }
  return null;
}

function pairProblem({ train, summary }: LoadedData): string | null {
  if (train.some(({ rejected }) => rejected.length > 0)) return null;
  return `"${summary.label}" has no pair of two answers: a reward model learns which of two is better.`;
}

/** Figures on the held-out pairs; null where none of them has two answers. */
async function qualityOf(
  { model }: OwnModel,
  reward: RewardModel,
  { heldout, train, summary }: LoadedData,
): Promise<RewardModelQuality | null> {
  if (heldout.every(({ rejected }) => rejected.length === 0)) return null;
  const placed = placeRewardModel(model, reward);
  try {
    const trainPairs = train.filter(({ rejected }) => rejected.length > 0).length;
    return await measureQuality(placed, heldout, { data: summary.label, trainPairs });
  } finally {
    placed.dispose();
  }
}

/** Tells steps, the first and the last of them in any case. */
function teller(steps: number, emit: RewardTraining["emit"]) {
  let toldAt = -Infinity;
  return ({ step, loss, accuracy }: Pick<RewardModelEvent, "step" | "loss" | "accuracy">): void => {
    const now = performance.now();
    if (step < steps && now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    emit({ type: "rewardModel", step, steps, loss, accuracy });
  };
}

/** Messages from the page are heard between tasks only. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
