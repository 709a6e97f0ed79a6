/** Settings of a reward model's training and what is known of its quality, as plain data. */

/** How a reward model is trained: an adapter and a scalar head on the base model, Bradley–Terry on the training pairs. */
export interface RewardModelSettings {
  readonly label: string;
  readonly steps: number;
  readonly batchPairs: number;
  readonly learningRate: number;
  readonly loraRank: number;
  readonly loraAlpha: number;
  /** Weight of (r⁺ + r⁻)², which keeps rewards around 0 (TRL: `center_rewards_coefficient`). */
  readonly centering: number;
  readonly seed: number;
}

/** How well a reward model tells the answers of held-out pairs apart. */
export interface RewardModelQuality {
  readonly data: string;
  readonly trainPairs: number;
  readonly heldoutPairs: number;
  /** Share of held-out pairs whose chosen answer has the higher reward; ties are misses. */
  readonly accuracy: number;
  /** Interval of 95 % of the accuracy (Wilson). */
  readonly low: number;
  readonly high: number;
  /** Held-out pairs by the stated probability of the answer that is said to be better, and how often it is. */
  readonly calibration: readonly {
    readonly stated: number;
    readonly observed: number;
    readonly pairs: number;
  }[];
  /** Mean |stated − observed| over the pairs (expected calibration error). */
  readonly calibrationError: number;
}
