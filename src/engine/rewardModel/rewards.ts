/** The arithmetic of rewards on the host: states in, rewards, losses and gradients out, in float64. */
import { pairLoss, type PairRewards } from "./bradleyTerry.ts";

/** Rewards w · h of the first `count` rows of states [rows, hidden]; those after them are padding. */
export function rewardsOf(states: ArrayLike<number>, head: ArrayLike<number>, count: number): Float64Array {
  const hidden = head.length;
  return Float64Array.from({ length: count }, (_, row) => {
    let reward = 0;
    for (let i = 0; i < hidden; i++) reward += head[i]! * states[row * hidden + i]!;
    return reward;
  });
}

/** What a batch of pairs asks of its states and of the head. */
export interface PairGradients {
  /** Sum of the pairs' losses over `pairs` of the step. */
  readonly loss: number;
  /** Pairs whose chosen answer has the higher reward. */
  readonly correct: number;
  /** [rows · hidden]; padding gets zeros. */
  readonly states: Float32Array;
  /** [hidden] */
  readonly head: Float32Array;
}

/** What the loss of a step is made of. */
export interface LossSettings {
  readonly centering: number;
  /** Pairs of the whole step, whose mean the loss is. */
  readonly pairs: number;
}

/**
 * Loss and gradients of a batch whose states [rows, hidden] hold a pair's chosen answer in row 2·pair and its rejected one in the next;
 * further rows are padding.
 */
export function pairGradients(
  { states, head, count }: { states: ArrayLike<number>; head: ArrayLike<number>; count: number },
  { centering, pairs }: LossSettings,
): PairGradients {
  const hidden = head.length;
  const rewards = rewardsOf(states, head, 2 * count);
  const byState = new Float32Array(states.length);
  const byHead = new Float64Array(hidden);
  let [loss, correct] = [0, 0];
  for (let pair = 0; pair < count; pair++) {
    const own = pairOf(rewards, pair);
    const { loss: ownLoss, dChosen, dRejected } = pairLoss(own, centering);
    loss += ownLoss / pairs;
    if (own.chosen > own.rejected) correct++;
    for (const [side, slope] of [dChosen, dRejected].entries()) {
      const from = (2 * pair + side) * hidden;
      for (let i = 0; i < hidden; i++) {
        byState[from + i] = (slope / pairs) * head[i]!;
        byHead[i]! += (slope / pairs) * states[from + i]!;
      }
    }
  }
  return { loss, correct, states: byState, head: Float32Array.from(byHead) };
}

/** Rewards of a pair where they lie in turns, chosen and rejected. */
export function pairOf(rewards: ArrayLike<number>, pair: number): PairRewards {
  return { chosen: rewards[2 * pair]!, rejected: rewards[2 * pair + 1]! };
}
