/** The same step of LoRA-DPO in jax-js, as one jitted function on its own WebGPU device. */
import { defaultDevice, getWebGPUDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import type { ModelConfig } from "../src/engine/models/config.ts";
import { adaptedModules, evenBatch, rotations, type PeerStep, type StepSettings } from "./peerStep.ts";
import type { StepShape } from "./shapes.ts";

type Arrays = Record<string, np.Array>;

/** What a step reads besides the adapters. */
type Batch = {
  /** [sequences · length] */
  tokens: np.Array;
  /** [sequences · answer] */
  labels: np.Array;
  /** [length, 1, headDim / 2] */
  cosines: np.Array;
  sines: np.Array;
};

/** A batch with the reference's margins, [pairs]. */
type ReferencedBatch = Batch & { reference: np.Array };

/** Adapters, moments and what the update needs of the step's number. */
type State = { adapters: Arrays; first: Arrays; second: Arrays };

interface Layout {
  readonly config: ModelConfig;
  readonly sequences: number;
  readonly length: number;
  readonly promptLength: number;
  /** alpha / rank */
  readonly scale: number;
}

/** Opens jax-js on WebGPU and returns its device. */
export async function openJax(): Promise<GPUDevice> {
  const devices = await init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("jax-js finds no WebGPU device.");
  defaultDevice("webgpu");
  const device = getWebGPUDevice();
  // Its results would be zeros.
  device.addEventListener("uncapturederror", ({ error }) => {
    console.error(`jax-js: ${error.message}`);
  });
  return device;
}

/** Compiles at the first step, which is therefore slow. `openJax` comes first. */
export async function createJaxStep(shape: StepShape, settings: StepSettings): Promise<PeerStep> {
  const { config } = shape;
  const { sequences, length, promptLength, tokens, labels } = evenBatch(shape.pairs);
  const layout: Layout = { config, sequences, length, promptLength, scale: settings.alpha / settings.rank };
  const { cosines, sines } = rotations(config, length);
  const turns = [length, 1, config.headDim / 2];
  const batch: Batch = {
    tokens: np.array(Int32Array.from(tokens)),
    labels: np.array(Int32Array.from(labels)),
    cosines: np.array(cosines).reshape(turns),
    sines: np.array(sines).reshape(turns),
  };
  const base = Object.fromEntries(
    [...shape.arrays()].map(([name, { values, shape: sizes }]) => [
      name,
      np.array(values as Float32Array<ArrayBuffer>).reshape([...sizes]),
    ]),
  );
  const initial = shape.adapter();
  const adapters: Arrays = {};
  for (const module of adaptedModules(initial)) {
    const valuesOf = (name: string) => np.array(initial.get(name)?.values ?? []);
    const a = `${module}.lora_A.weight`;
    const b = `${module}.lora_B.weight`;
    adapters[a] = valuesOf(a).reshape([settings.rank, -1]);
    adapters[b] = valuesOf(b).reshape([-1, settings.rank]);
  }
  const zerosLike = (each: Arrays): Arrays => tree.map((x: np.Array) => np.zeros(x.shape), each);
  let state: State = { adapters, first: zerosLike(adapters), second: zerosLike(adapters) };

  const margins = jit((weights: Arrays, data: Batch) =>
    marginsOf(layout, answerLogps(layout, weights, {}, data)),
  );
  const referenced: ReferencedBatch = { ...batch, reference: margins(tree.ref(base), tree.ref(batch)) };
  const update = jit(stepOf(layout, settings));
  let steps = 0;
  return {
    step: async () => {
      steps += 1;
      // The factors of both bias corrections.
      const corrections = np.array([1 / (1 - settings.beta1 ** steps), 1 / (1 - settings.beta2 ** steps)]);
      const result = update(state, tree.ref(base), tree.ref(referenced), corrections);
      ({ state } = result);
      const [loss = NaN] = await result.loss.data();
      return Number(loss);
    },
    firstMoments: async () => {
      const entries = Object.entries(state.first).map(
        async ([name, values]) => [name, await values.ref.data()] as const,
      );
      return new Map((await Promise.all(entries)) as [string, Float32Array][]);
    },
    dispose: () => {
      tree.dispose([state.adapters, state.first, state.second, base, referenced]);
      margins.dispose();
      update.dispose();
    },
  };
}

/** Loss, gradients, clipping and AdamW without decay, in one function. */
function stepOf(layout: Layout, settings: StepSettings) {
  const lossOf = (adapters: Arrays, base: Arrays, { reference, ...batch }: ReferencedBatch): np.Array => {
    const policy = marginsOf(layout, answerLogps(layout, base, adapters, batch));
    return np.mean(nn.softplus(policy.sub(reference).mul(-settings.beta)));
  };
  return (state: State, base: Arrays, batch: ReferencedBatch, corrections: np.Array) => {
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(state.adapters), base, batch);
    const squares = Object.values(gradients).map((gradient) => np.sum(np.square(gradient.ref)));
    const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
    const factor = np.minimum(np.trueDivide(settings.maxGradNorm, norm.add(1e-6)), 1);
    const [firstCorrection, secondCorrection] = np.split(corrections, 2) as [np.Array, np.Array];
    const next: State = { adapters: {}, first: {}, second: {} };
    for (const [name, gradient] of Object.entries(gradients)) {
      const clipped = gradient.mul(factor.ref);
      const first = take(state.first, name)
        .mul(settings.beta1)
        .add(clipped.ref.mul(1 - settings.beta1));
      const second = take(state.second, name)
        .mul(settings.beta2)
        .add(np.square(clipped).mul(1 - settings.beta2));
      next.first[name] = first.ref;
      next.second[name] = second.ref;
      const root = np.sqrt(second.mul(secondCorrection.ref)).add(settings.epsilon);
      const pull = first.mul(firstCorrection.ref).div(root);
      next.adapters[name] = take(state.adapters, name).sub(pull.mul(settings.learningRate));
    }
    tree.dispose([factor, firstCorrection, secondCorrection]);
    return { state: next, loss };
  };
}

function take(arrays: Arrays, name: string): np.Array {
  const found = arrays[name];
  if (found === undefined) throw new Error(`Nothing is called "${name}".`);
  return found;
}

/** Chosen minus rejected: [sequences] → [pairs]. */
function marginsOf({ sequences }: Layout, logps: np.Array): np.Array {
  const [chosen, rejected] = np.split(logps, 2) as [np.Array, np.Array];
  return chosen.sub(rejected).reshape([sequences / 2]);
}

/** Summed log-probs of the answers, [sequences]; consumes all arguments. No adapters: the reference. */
function answerLogps(layout: Layout, base: Arrays, adapters: Arrays, batch: Batch): np.Array {
  const { config, sequences, length, promptLength } = layout;
  const embeddings = take(base, "model.embed_tokens.weight");
  const weights: Weights = { layout, base, adapters, batch };
  let x = np.take(embeddings.ref, batch.tokens, 0); // [rows, hidden]
  for (let layer = 0; layer < config.layers; layer++) x = decoderLayer(weights, `model.layers.${layer}`, x);
  tree.dispose([batch.cosines, batch.sines]);
  const answer = length - promptLength;
  const scored = x
    .reshape([sequences, length, config.hiddenSize])
    .slice([], [promptLength - 1, length - 1])
    .reshape([sequences * answer, config.hiddenSize]);
  const hidden = norm(weights, "model.norm.weight", scored);
  const head = base["lm_head.weight"];
  if (head !== undefined) embeddings.dispose();
  const logits = np.matmul(hidden, np.transpose(head ?? embeddings)); // [entries, vocabulary]
  // Not `nn.oneHot`, which builds a matrix of vocabulary by vocabulary.
  const tokens = np.arange(config.vocabularySize).astype(np.int32);
  const isLabel = np.equal(batch.labels.reshape([-1, 1]), tokens);
  const logps = np.sum(np.where(isLabel, nn.logSoftmax(logits), 0), -1);
  return np.sum(logps.reshape([sequences, answer]), 1);
}

interface Weights {
  readonly layout: Layout;
  readonly base: Arrays;
  readonly adapters: Arrays;
  readonly batch: Batch;
}

function decoderLayer(weights: Weights, prefix: string, x: np.Array): np.Array {
  const attended = x.ref.add(
    attention(weights, `${prefix}.self_attn`, norm(weights, `${prefix}.input_layernorm.weight`, x)),
  );
  const h = norm(weights, `${prefix}.post_attention_layernorm.weight`, attended.ref);
  const gate = linear(weights, `${prefix}.mlp.gate_proj`, h.ref);
  const up = linear(weights, `${prefix}.mlp.up_proj`, h);
  return attended.add(linear(weights, `${prefix}.mlp.down_proj`, nn.silu(gate).mul(up)));
}

function attention(weights: Weights, prefix: string, x: np.Array): np.Array {
  const { sequences, length, config } = weights.layout;
  const { heads, keyValueHeads, headDim } = config;
  const project = (name: string, count: number, input: np.Array) =>
    linear(weights, `${prefix}.${name}`, input).reshape([sequences, length, count, headDim]);
  const q = rotate(weights.batch, project("q_proj", heads, x.ref));
  const k = rotate(weights.batch, project("k_proj", keyValueHeads, x.ref));
  const v = project("v_proj", keyValueHeads, x);
  const mixed = nn.dotProductAttention(q, k, v, { isCausal: true });
  return linear(weights, `${prefix}.o_proj`, mixed.reshape([sequences * length, heads * headDim]));
}

/** Turns the planes (i, i + headDim / 2) of [sequences, length, heads, headDim]. */
function rotate({ cosines, sines }: Batch, x: np.Array): np.Array {
  const [first, second] = np.split(x, 2, -1) as [np.Array, np.Array];
  return np.concatenate(
    [
      first.ref.mul(cosines.ref).sub(second.ref.mul(sines.ref)),
      second.mul(cosines.ref).add(first.mul(sines.ref)),
    ],
    -1,
  );
}

function norm({ base, layout }: Weights, name: string, x: np.Array): np.Array {
  const mean = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.div(np.sqrt(mean.add(layout.config.rmsNormEpsilon))).mul(take(base, name));
}

function linear({ base, adapters, layout }: Weights, module: string, x: np.Array): np.Array {
  const weight = np.transpose(take(base, `${module}.weight`));
  const a = adapters[`${module}.lora_A.weight`];
  const b = adapters[`${module}.lora_B.weight`];
  if (a === undefined || b === undefined) return np.matmul(x, weight);
  const low = np.matmul(np.matmul(x.ref, np.transpose(a)), np.transpose(b));
  return np.matmul(x, weight).add(low.mul(layout.scale));
}
