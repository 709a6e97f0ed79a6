/** The whole step of LoRA-DPO in stock operations of the tensor runtime under its own tape. */
import "@tensorflow/tfjs-backend-webgpu/dist/register_all_kernels.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import type { TokenPair } from "../../src/engine/data/tokenPair.ts";
import type { ModelConfig } from "../../src/engine/models/config.ts";
import { adaptedModules, evenBatch, rotations, type PeerStep, type StepSettings } from "../peerStep.ts";
import type { StepShape } from "../shapes.ts";

/** What a stock run trains. */
export interface StockStepOptions {
  readonly shape: StepShape;
  readonly settings: StepSettings;
}

interface Layout {
  readonly sequences: number;
  readonly length: number;
  readonly promptLength: number;
  /** [sequences · length] */
  readonly tokens: tf.Tensor1D;
  /** [sequences · (length − promptLength), vocabulary] one-hot */
  readonly labels: tf.Tensor;
  /** [length, headDim / 2] */
  readonly cosines: tf.Tensor;
  readonly sines: tf.Tensor;
  /** [queries per key-value head · length, length], a large negative number where a row may not look */
  readonly mask: tf.Tensor;
}

interface Forward {
  readonly config: ModelConfig;
  readonly base: ReadonlyMap<string, tf.Tensor>;
  /** Null is the reference. */
  readonly adapters: ReadonlyMap<string, { readonly a: tf.Variable; readonly b: tf.Variable }> | null;
  readonly scale: number;
  readonly layout: Layout;
}

const HIDDEN_LOGIT = -1e9;
/** What the optimizer calls the first moment of a variable. */
const MOMENT_SUFFIX = "/m";

/** One DPO step after another with LoRA in stock operations under the stock tape; each returns its loss. */
export function createStockStep({ shape, settings }: StockStepOptions): PeerStep {
  const { config } = shape;
  const base = new Map(
    [...shape.arrays()].map(([name, { values, shape: sizes }]) => [name, tf.tensor(values, [...sizes])]),
  );
  const initial = shape.adapter();
  const variableOf = (name: string, sizes: [number, number]): tf.Variable => {
    const values = tf.tensor(initial.get(name)?.values ?? [], sizes);
    const variable = tf.variable(values, true, name);
    values.dispose();
    return variable;
  };
  const adapters = new Map<string, { a: tf.Variable; b: tf.Variable }>();
  for (const module of adaptedModules(initial)) {
    const [outputs = 0, inputs = 0] = base.get(`${module}.weight`)?.shape ?? [];
    const a = variableOf(`${module}.lora_A.weight`, [settings.rank, inputs]);
    const b = variableOf(`${module}.lora_B.weight`, [outputs, settings.rank]);
    adapters.set(module, { a, b });
  }
  const variables = [...adapters.values()].flatMap(({ a, b }) => [a, b]);
  const layout = layoutOf(config, shape.pairs);
  const forward: Forward = { config, base, adapters, scale: settings.alpha / settings.rank, layout };
  const reference = tf.tidy(() => margins(answerLogps({ ...forward, adapters: null })));
  const optimizer = tf.train.adam(settings.learningRate, settings.beta1, settings.beta2, settings.epsilon);
  const lossOf = (): tf.Scalar =>
    tf.mean(tf.softplus(tf.mul(tf.sub(margins(answerLogps(forward)), reference), -settings.beta)));
  const update = (): tf.Scalar =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(lossOf, variables);
      const squares = Object.values(grads).map((gradient) => tf.reshape(tf.sum(tf.square(gradient)), [1]));
      const norm = tf.sqrt(tf.sum(tf.concat(squares)));
      const factor = tf.minimum(tf.div(settings.maxGradNorm, tf.add(norm, 1e-6)), 1);
      const clipped = Object.entries(grads).map(([name, gradient]) => ({
        name,
        tensor: tf.mul(gradient, factor),
      }));
      optimizer.applyGradients(clipped);
      return value;
    });
  return {
    step: async () => {
      const cost = update();
      const [loss = NaN] = await cost.data();
      cost.dispose();
      return loss;
    },
    firstMoments: async () => {
      const saved = await optimizer.getWeights();
      const entries = saved
        .filter(({ name }) => name.endsWith(MOMENT_SUFFIX))
        .map(
          async ({ name, tensor }) => [name.slice(0, -MOMENT_SUFFIX.length), await tensor.data()] as const,
        );
      return new Map((await Promise.all(entries)) as [string, Float32Array][]);
    },
    dispose: () => {
      optimizer.dispose();
      tf.dispose([...variables, ...base.values(), reference]);
      tf.dispose([layout.tokens, layout.labels, layout.cosines, layout.sines, layout.mask]);
    },
  };
}

function layoutOf(config: ModelConfig, pairs: readonly TokenPair[]): Layout {
  const { sequences, length, promptLength, tokens, labels } = evenBatch(pairs);
  const { cosines, sines } = rotations(config, length);
  const group = config.heads / config.keyValueHeads;
  const mask = Float32Array.from({ length: group * length * length }, (_, index) =>
    index % length > Math.floor(index / length) % length ? HIDDEN_LOGIT : 0,
  );
  return {
    sequences,
    length,
    promptLength,
    tokens: tf.tensor1d(tokens, "int32"),
    labels: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), config.vocabularySize), "float32")),
    cosines: tf.tensor(cosines, [length, config.headDim / 2]),
    sines: tf.tensor(sines, [length, config.headDim / 2]),
    mask: tf.tensor(mask, [group * length, length]),
  };
}

/** Chosen minus rejected: [sequences] → [pairs]. */
function margins(logps: tf.Tensor): tf.Tensor {
  const [chosen, rejected] = tf.split(logps, 2);
  return tf.sub(chosen ?? [], rejected ?? []);
}

/** Summed log-probs of the answers, [sequences]. */
function answerLogps(forward: Forward): tf.Tensor {
  const { config, base, layout } = forward;
  const { sequences, length, promptLength } = layout;
  const embeddings = weight(forward, "model.embed_tokens");
  let x: tf.Tensor = tf.gather(embeddings, layout.tokens); // [rows, hidden]
  for (let layer = 0; layer < config.layers; layer++) x = decoderLayer(forward, `model.layers.${layer}`, x);
  const answerLength = length - promptLength;
  const scored = tf.slice(
    tf.reshape(x, [sequences, length, config.hiddenSize]),
    [0, promptLength - 1, 0],
    [sequences, answerLength, config.hiddenSize],
  );
  const hidden = norm(forward, "model.norm", tf.reshape(scored, [-1, config.hiddenSize]));
  const head = base.get("lm_head.weight") ?? embeddings;
  const logps = tf.sum(tf.mul(tf.logSoftmax(tf.matMul(hidden, head, false, true)), layout.labels), -1);
  return tf.sum(tf.reshape(logps, [sequences, answerLength]), 1);
}

function decoderLayer(forward: Forward, prefix: string, x: tf.Tensor): tf.Tensor {
  const attended = tf.add(
    x,
    attention(forward, `${prefix}.self_attn`, norm(forward, `${prefix}.input_layernorm`, x)),
  );
  const h = norm(forward, `${prefix}.post_attention_layernorm`, attended);
  const gate = linear(forward, `${prefix}.mlp.gate_proj`, h);
  const up = linear(forward, `${prefix}.mlp.up_proj`, h);
  const states = tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
  return tf.add(attended, linear(forward, `${prefix}.mlp.down_proj`, states));
}

function attention(forward: Forward, prefix: string, x: tf.Tensor): tf.Tensor {
  const { heads, keyValueHeads, headDim } = forward.config;
  const { sequences, length, mask } = forward.layout;
  const split = (states: tf.Tensor, count: number) =>
    tf.transpose(tf.reshape(states, [sequences, length, count, headDim]), [0, 2, 1, 3]);
  const group = (heads / keyValueHeads) * length;
  const q = tf.reshape(rotate(forward.layout, split(linear(forward, `${prefix}.q_proj`, x), heads)), [
    sequences,
    keyValueHeads,
    group,
    headDim,
  ]);
  const k = rotate(forward.layout, split(linear(forward, `${prefix}.k_proj`, x), keyValueHeads));
  const v = split(linear(forward, `${prefix}.v_proj`, x), keyValueHeads);
  const logits = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(headDim)), mask);
  const mixed = tf.reshape(tf.matMul(tf.softmax(logits), v), [sequences, heads, length, headDim]);
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [sequences * length, heads * headDim]);
  return linear(forward, `${prefix}.o_proj`, joined);
}

/** Turns the planes (i, i + headDim / 2). */
function rotate({ cosines, sines }: Layout, x: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.concat(
    [
      tf.sub(tf.mul(first, cosines), tf.mul(second, sines)),
      tf.add(tf.mul(second, cosines), tf.mul(first, sines)),
    ],
    -1,
  );
}

function norm(forward: Forward, name: string, x: tf.Tensor): tf.Tensor {
  const mean = tf.mean(tf.square(x), -1, true);
  const scale = tf.rsqrt(tf.add(mean, forward.config.rmsNormEpsilon));
  return tf.mul(tf.mul(x, scale), weight(forward, name));
}

function linear(forward: Forward, name: string, x: tf.Tensor): tf.Tensor {
  const product = tf.matMul(x, weight(forward, name), false, true);
  const adapter = forward.adapters?.get(name);
  if (adapter === undefined) return product;
  const low = tf.matMul(tf.matMul(x, adapter.a, false, true), adapter.b, false, true);
  return tf.add(product, tf.mul(low, forward.scale));
}

function weight({ base }: Forward, name: string): tf.Tensor {
  const found = base.get(`${name}.weight`);
  if (found === undefined) throw new Error(`The model has no weight "${name}".`);
  return found;
}
