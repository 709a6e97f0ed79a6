/** How well a reward model tells the answers of held-out pairs apart, and whether it is as sure as it should be. */
import type { TokenPair } from "../data/tokenPair.ts";
import { promptOf } from "../data/tokenPair.ts";
import { wilsonInterval } from "../data/wilsonInterval.ts";
import { sigmoid } from "../losses/softplus.ts";
import type { PairRewards } from "./bradleyTerry.ts";
import { pairOf } from "./rewards.ts";
import type { PlacedRewardModel } from "./rewardModel.ts";
import type { RewardModelQuality } from "./settings.ts";

/** What the figures are about. */
export type QualityAbout = Pick<RewardModelQuality, "data" | "trainPairs">;

/** Stated probabilities lie between 0.5 and 1, in so many ranges of one width. */
const BINS = 5;

/** Scores both answers of the pairs that have two. Throws `RangeError` where there is none. */
export async function measureQuality(
  placed: Pick<PlacedRewardModel, "score">,
  heldoutPairs: readonly TokenPair[],
  about: QualityAbout,
): Promise<RewardModelQuality> {
  const pairs = heldoutPairs.filter(({ rejected }) => rejected.length > 0);
  const texts = pairs.flatMap((pair) => [
    { prompt: promptOf(pair, "chosen"), answer: pair.chosen },
    { prompt: promptOf(pair, "rejected"), answer: pair.rejected },
  ]);
  const rewards = await placed.score(texts);
  return qualityOf(
    pairs.map((_, pair) => pairOf(rewards, pair)),
    about,
  );
}

/**
 * Figures of pairs by their rewards. A pair states max(p, 1 − p) with p = σ(r⁺ − r⁻) for the answer that it holds for better, and is
 * right where that is the chosen one; equal rewards are a miss. Throws `RangeError` for no pairs and for rewards that are no numbers.
 */
export function qualityOf(rewards: readonly PairRewards[], about: QualityAbout): RewardModelQuality {
  const pairs = rewards.length;
  if (pairs === 0)
    throw new RangeError(
      "There is no held-out pair with two answers, so the reward model's quality is unknown.",
    );
  const broken = rewards.find(
    ({ chosen, rejected }) => !Number.isFinite(chosen) || !Number.isFinite(rejected),
  );
  if (broken !== undefined)
    throw new RangeError(
      `The reward model gave ${broken.chosen} and ${broken.rejected} for a held-out pair, which are not two numbers.`,
    );
  const judged = rewards.map(({ chosen, rejected }) => ({
    stated: sigmoid(Math.abs(chosen - rejected)),
    isRight: chosen > rejected,
  }));
  const right = judged.filter(({ isRight }) => isRight).length;
  const calibration = binsOf(judged);
  const [low, high] = wilsonInterval(right / pairs, pairs);
  return {
    ...about,
    heldoutPairs: pairs,
    accuracy: right / pairs,
    low,
    high,
    calibration,
    calibrationError: calibration.reduce(
      (sum, bin) => sum + (bin.pairs / pairs) * Math.abs(bin.stated - bin.observed),
      0,
    ),
  };
}

/** Means by range of the stated probability, in order; ranges without a pair are left out. */
function binsOf(
  judged: readonly { readonly stated: number; readonly isRight: boolean }[],
): RewardModelQuality["calibration"] {
  return Array.from({ length: BINS }, (_, bin) =>
    judged.filter(({ stated }) => Math.min(BINS - 1, Math.floor((stated - 0.5) * 2 * BINS)) === bin),
  ).flatMap((members) => {
    const pairs = members.length;
    if (pairs === 0) return [];
    const stated = members.reduce((sum, member) => sum + member.stated, 0) / pairs;
    const observed = members.filter(({ isRight }) => isRight).length / pairs;
    return [{ stated, observed, pairs }];
  });
}
