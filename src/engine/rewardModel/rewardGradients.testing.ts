/** A reward model with random parameters: its loss over some pairs, and the gradient of every parameter. */
import { createAdapters } from "../adapters/lora.ts";
import type { Trainable } from "../adapters/parameters.ts";
import { createRandom } from "../data/random.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import { read, zeros } from "../tensor/run.ts";
import { loraModules } from "../training/config.ts";
import { paddedSize, uploadBatch } from "../training/deviceBatch.ts";
import { atOnce } from "../training/parts.ts";
import { scoredStates } from "../training/scoring.ts";
import type { StepKeeps } from "../training/stepMemory.ts";
import { randomAdapter } from "../training/tinyRun.testing.ts";
import { endBatch, pairTexts } from "./endBatch.ts";
import { addRewardGradients } from "./rewardGradients.ts";

const CENTERING = 0.05;

/** A reward model in training. */
export interface RewardCase {
  readonly trainables: readonly Trainable[];
  readonly weights: Weights;
  /** Mean loss over the pairs, written out in one line, in float64 over states in float32. */
  readonly loss: () => Promise<number>;
  /** By name; and the loss that came with them. */
  readonly gradients: (
    keeps?: StepKeeps,
  ) => Promise<{ readonly byName: Map<string, Float32Array>; readonly loss: number }>;
  readonly dispose: () => void;
}

/** Random adapters of `rank` on all modules, B as well, and a random head; all pairs are one batch. */
export function openRewardCase(
  model: Model,
  pairs: readonly TokenPair[],
  { rank = 2, spread = 0.2, isTaped = false } = {},
): RewardCase {
  const random = createRandom(7);
  const values = Float32Array.from({ length: model.config.hiddenSize }, () => 0.3 * random.gaussian());
  const { parameters, modules, groups } = createAdapters(
    model,
    { rank, alpha: 2 * rank, targets: loraModules },
    {
      random,
      initial: randomAdapter(model, 2, { rank, spread }),
      beside: [{ name: "score.weight", shape: [1, values.length], values }],
    },
  );
  const own = { ...referenceWeights(model), adapters: modules, groupAdapters: groups };
  // Layers without stacks cannot be fused.
  const weights = isTaped ? { ...own, stacks: new Map() } : own;
  const { trainables } = parameters;
  const head = trainables.at(-1)!;
  const flat = endBatch(pairs.flatMap(pairTexts));
  const upload = () => uploadBatch(flat, distinctWindows(model.config), paddedSize(flat));
  return {
    trainables,
    weights,
    loss: async () => {
      const batch = upload();
      const states = atOnce(scoredStates(model, weights, batch));
      const [h, w] = [await read(states), await read(head.tensor)];
      states.dispose();
      batch.dispose();
      const reward = (row: number) =>
        Float64Array.from(w).reduce((sum, each, i) => sum + each * h[row * w.length + i]!, 0);
      return pairs.reduce((sum, _, pair) => {
        const [chosen, rejected] = [reward(2 * pair), reward(2 * pair + 1)];
        const own = Math.log(1 + Math.exp(rejected - chosen)) + CENTERING * (chosen + rejected) ** 2;
        return sum + own / pairs.length;
      }, 0);
    },
    gradients: async (keeps = "layerInputs") => {
      const batch = upload();
      const sum = zeros(parameters.theta.shape);
      const pass = { model, weights, keeps, sink: { flat: sum, trainables }, head };
      const { loss } = await addRewardGradients(pass, batch, { centering: CENTERING, pairs: pairs.length });
      const found = Float32Array.from(await read(sum));
      sum.dispose();
      batch.dispose();
      const byName = new Map(
        trainables.map(({ name, offset, tensor: { size } }) => [name, found.slice(offset, offset + size)]),
      );
      return { byName, loss };
    },
    dispose: parameters.dispose,
  };
}
