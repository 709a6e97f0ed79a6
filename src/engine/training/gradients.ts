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
import { dispose, giveWay, read, tensor, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { vjp } from "../tensor/vjp.ts";
import { entryStatistics, headStatistics, type DeviceBatch, type EntryStatistics } from "./scoring.ts";

const embeddingName = "model.embed_tokens.weight";

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
      await giveWay();
    }
    const last = at(inputs, model.config.layers);
    const head = () => headStatistics(model, weights, batch, { x: last });
    const entries = entryStatistics(await readOnce(tidy(head)));
    const upstream = tensor(logpUpstream(objective(entries)), [entries.logps.length, statisticsWidth]);

    const owned = (owns: (name: string) => boolean) => pass.trainables.filter(({ name }) => owns(name));
    const layers = inputs.slice(0, -1).map((x, layer): Block => ({
      forward: () => decoderLayer(model, weights, layer, { x, rows }),
      x,
      parameters: owned((name) => name.startsWith(`model.layers.${layer}.`)),
    }));
    await backward(pass.gradients, upstream, [
      {
        forward: () => embedTokens(weights, rows),
        x: null,
        parameters: owned((name) => name === embeddingName),
      },
      ...layers,
      {
        forward: head,
        x: last,
        // A tied head is the embedding: its gradient has a share from either end.
        parameters: owned((name) => name === "model.norm.weight" || name === headName(model.config)),
      },
    ]);
  } finally {
    dispose(inputs);
  }
}

/** A block of the model: what it computes, from which input, and which of its parameters train. */
interface Block {
  readonly forward: () => Tensor;
  /** Null for the first block, which reads tokens. */
  readonly x: Tensor | null;
  readonly parameters: readonly Trainable[];
}

/** Walks the blocks from the last to the lowest one that trains and adds their gradients; consumes `upstream`. */
async function backward(gradients: Gradients, upstream: Tensor, blocks: readonly Block[]): Promise<void> {
  const lowest = blocks.findIndex(({ parameters }) => parameters.length > 0);
  let flowing = upstream;
  for (let index = blocks.length - 1; index >= Math.max(lowest, 0); index--) {
    const { forward, x, parameters } = at(blocks, index);
    // Below the lowest trained block nobody reads a gradient.
    const input = index > lowest && x !== null ? [x] : [];
    const xs = [...input, ...parameters.map((parameter) => parameter.tensor)];
    const found = consume(flowing, () => vjp(forward, xs, flowing));
    parameters.forEach(({ name }, position) => {
      addGradient(gradients, name, at(found, input.length + position));
    });
    if (input.length > 0) flowing = at(found, 0);
    await giveWay();
  }
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
