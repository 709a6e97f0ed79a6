/**
 * One forward and backward pass: forward keeping each layer's input, statistics to the host, the objective in
 * float64 there, then the gradients of the blocks from the last to the first, recomputing one block at a time.
 * The same loop serves LoRA and full fine-tuning: a block's gradient covers whichever of its parameters train.
 */
import { accumulate } from "../kernels/adamw/adamw.ts";
import { statisticsWidth } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { decoderLayer, embedTokens, headName, type Model } from "../models/decoder.ts";
import type { Weights } from "../models/weights.ts";
import type { Trainable } from "../adapters/lora.ts";
import { dispose, read, tensor, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { vjp } from "../tensor/vjp.ts";
import { entryStatistics, headStatistics, type DeviceBatch, type EntryStatistics } from "./scoring.ts";

/** Gradients by parameter name, summed over micro-batches; the owner disposes them. */
export type Gradients = Map<string, Tensor>;

/** What a backward pass works on. */
export interface BackwardPass {
  readonly model: Model;
  readonly weights: Weights;
  readonly trainables: readonly Trainable[];
  readonly gradients: Gradients;
}

/**
 * Runs one micro-batch and adds its gradients to `pass.gradients`.
 * `objective` turns the statistics into dL/d(log-prob) of every scored token.
 */
export async function addGradients(
  pass: BackwardPass,
  batch: DeviceBatch,
  objective: (entries: EntryStatistics) => Float64Array,
): Promise<void> {
  const { model, weights } = pass;
  const { rows } = batch;
  const inputs = [tidy(() => embedTokens(weights, rows))]; // inputs[i]: input of layer i, [rows, hidden]
  try {
    for (let layer = 0; layer < model.config.layers; layer++) {
      inputs.push(tidy(() => decoderLayer(model, weights, layer, { x: at(inputs, layer), rows })));
    }
    const last = at(inputs, model.config.layers);
    const head = () => headStatistics(model, weights, batch, { x: last });
    const entries = entryStatistics(await readOnce(tidy(head)));

    const isOwnedByHead = (name: string) => name === "model.norm.weight" || name === headName(model.config);
    let upstream = tensor(logpUpstream(objective(entries)), [entries.logps.length, statisticsWidth]);
    upstream = backwardBlock(pass, { forward: head, x: last, upstream, owns: isOwnedByHead });
    for (let layer = model.config.layers - 1; layer >= 0; layer--) {
      const x = at(inputs, layer);
      const forward = () => decoderLayer(model, weights, layer, { x, rows });
      upstream = backwardBlock(pass, {
        forward,
        x,
        upstream,
        owns: (name) => name.startsWith(`model.layers.${layer}.`),
      });
    }
    backwardEmbedding(pass, batch, upstream);
  } finally {
    dispose(inputs);
  }
}

/** A block of the model: what it computes, from what, and which parameters are its own. */
interface Block {
  readonly forward: () => Tensor;
  readonly x: Tensor;
  readonly upstream: Tensor;
  readonly owns: (parameterName: string) => boolean;
}

/** Adds the block's parameter gradients and returns the gradient of its input; consumes `upstream`. */
function backwardBlock(pass: BackwardPass, block: Block): Tensor {
  const own = pass.trainables.filter(({ name }) => block.owns(name));
  const xs = [block.x, ...own.map((trainable) => trainable.tensor)];
  const [inputGradient, ...parameterGradients] = consume(block.upstream, () =>
    vjp(block.forward, xs, block.upstream),
  );
  own.forEach(({ name }, index) => {
    addGradient(pass.gradients, name, at(parameterGradients, index));
  });
  if (inputGradient === undefined) throw new Error("A block returned no gradient for its input.");
  return inputGradient;
}

/** The embedding's share of the gradient, where it trains; a tied head has added its own before. Consumes `upstream`. */
function backwardEmbedding(pass: BackwardPass, batch: DeviceBatch, upstream: Tensor): void {
  const name = "model.embed_tokens.weight";
  const trainable = pass.trainables.find((candidate) => candidate.name === name);
  const forward = () => embedTokens(pass.weights, batch.rows);
  const gradients = consume(upstream, () =>
    trainable === undefined ? [] : vjp(forward, [trainable.tensor], upstream),
  );
  for (const gradient of gradients) addGradient(pass.gradients, name, gradient);
}

/** Runs `work` and frees `upstream`, whether it succeeded or not. */
function consume(upstream: Tensor, work: () => Tensor[]): Tensor[] {
  try {
    return work();
  } finally {
    dispose(upstream);
  }
}

async function readOnce(source: Tensor): Promise<ArrayLike<number>> {
  try {
    return await read(source);
  } finally {
    dispose(source);
  }
}

function addGradient(gradients: Gradients, name: string, gradient: Tensor): void {
  const sum = gradients.get(name);
  if (sum === undefined) {
    gradients.set(name, gradient);
    return;
  }
  accumulate(sum, gradient, 1);
  dispose([gradient]);
}

/** Upstream of the head's statistics when only log-probs carry gradient: [entries, statisticsWidth]. */
function logpUpstream(perToken: Float64Array): Float32Array {
  const values = new Float32Array(perToken.length * statisticsWidth);
  perToken.forEach((gradient, entry) => {
    values[entry * statisticsWidth] = gradient;
  });
  return values;
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`Nothing at position ${index} of ${items.length}.`);
  return item;
}
