/** The loss of a reward model (Bradley and Terry 1952), in float64, with its derivatives. */

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

/** The probability that the reward model states for the answer that it holds for better: σ(x), for any x. */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** −log σ(r⁺ − r⁻) + centering · (r⁺ + r⁻)², as in TRL's `RewardTrainer` with its `center_rewards_coefficient`. */
export function pairLoss({ chosen, rejected }: PairRewards, centering: number): PairLoss {
  const gap = chosen - rejected;
  const sum = chosen + rejected;
  // log(1 + e^−gap) without an overflow.
  const preference = Math.max(0, -gap) + Math.log1p(Math.exp(-Math.abs(gap)));
  const pull = -sigmoid(-gap);
  const centre = 2 * centering * sum;
  return { loss: preference + centering * sum ** 2, dChosen: pull + centre, dRejected: centre - pull };
}
