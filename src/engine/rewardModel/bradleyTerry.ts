/** The loss of a reward model (Bradley and Terry 1952), in float64, with its derivatives. */
import { sigmoid, softplus } from "../losses/softplus.ts";

/** Rewards of a pair's two answers. */
export interface PairRewards {
  readonly chosen: number;
  readonly rejected: number;
}

/** Loss of a pair, and its derivatives by the two rewards. */
export interface PairLoss {
  readonly loss: number;
  readonly dChosen: number;
  readonly dRejected: number;
}

/** −log σ(r⁺ − r⁻) + centering · (r⁺ + r⁻)², as in TRL's `RewardTrainer` with its `center_rewards_coefficient`. */
export function pairLoss({ chosen, rejected }: PairRewards, centering: number): PairLoss {
  const gap = chosen - rejected;
  const sum = chosen + rejected;
  const preference = softplus(-gap);
  const pull = -sigmoid(-gap);
  const centre = 2 * centering * sum;
  return { loss: preference + centering * sum ** 2, dChosen: pull + centre, dRejected: centre - pull };
}
