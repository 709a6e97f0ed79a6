/**
 * One forward and backward pass of a reward model: the states of the last tokens go to the host, rewards, loss and the gradients of
 * head and states are computed there in float64, and the layers go back from what is uploaded.
 */
import type { Trainable } from "../adapters/parameters.ts";
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import { dispose, read, tensor } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { DeviceBatch } from "../training/deviceBatch.ts";
import { layersBackward, layersForward, openWalk, type WalkSetup } from "../training/layerWalk.ts";
import { yielding } from "../training/parts.ts";
import { pairGradients, type LossSettings, type PairGradients } from "./rewards.ts";

/** What a pass works on. */
export interface RewardPass extends WalkSetup {
  /** [1, hidden], one of the sink's trainables. */
  readonly head: Trainable;
}

/**
 * Runs a batch of pairs, laid out by `endBatch` with chosen and rejected answers in turns, and adds its gradients to the sink.
 * Gives the loss, summed over the batch's pairs and divided by those of the step, and how many pairs are in order.
 */
export async function addRewardGradients(
  pass: RewardPass,
  batch: DeviceBatch,
  settings: LossSettings,
): Promise<Pick<PairGradients, "loss" | "correct">> {
  const { model, head, sink } = pass;
  const walk = openWalk(pass, batch.rows);
  const held: Tensor[] = [];
  try {
    await yielding(layersForward(walk, model));
    const hidden = walk.scored(batch.scored);
    const [states, vector] = [await read(hidden), await read(head.tensor)];
    const count = batch.flat.sequences / 2;
    const found = pairGradients({ states, head: vector, count }, settings);
    const byHead = tensor(found.head, head.tensor.shape);
    held.push(byHead);
    accumulateAt(sink.flat, byHead, head.offset);
    await yielding(layersBackward(pass, walk, tensor(found.states, hidden.shape)));
    return found;
  } finally {
    dispose(held);
    walk.dispose();
  }
}
