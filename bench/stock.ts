/**
 * The one file that runs stock operations of the tensor runtime: what our own are compared with. It registers the
 * runtime's kernels and gradients, so it is loaded only after everything else has been counted.
 */
import "@tensorflow/tfjs-backend-webgpu/dist/register_all_kernels.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import type { MatmulForm } from "../src/engine/kernels/matmul/matmul.wgsl.ts";
import { ropeTable } from "../src/engine/kernels/rope/ropeTable.ts";
import type { Model } from "../src/engine/models/decoder.ts";
import { adamwDefaults } from "../src/engine/training/optimizer.ts";
import type { Policy } from "../src/engine/training/policy.ts";

/** The matmul program in use: 3 is the fastest one that is right. */
export function stockProgramType(): number {
  return tf.env().getNumber("WEBGPU_MATMUL_PROGRAM_TYPE");
}

/** The same product as our `matmul`, by the runtime's own kernel. */
export function stockMatmul(a: tf.Tensor, b: tf.Tensor, form: MatmulForm): tf.Tensor {
  return tf.matMul(a, b, form === "atb", form === "abt");
}

/** What a stock run trains; all prompts have one length and all answers have one length. */
export interface StockRun {
  readonly model: Model;
  /** Only its first values are taken. */
  readonly policy: Policy;
  readonly pairs: readonly TokenPair[];
  readonly beta: number;
  readonly learningRate: number;
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
  readonly model: Model;
  readonly adapters: ReadonlyMap<string, { a: tf.Variable; b: tf.Variable; scale: number }>;
  readonly layout: Layout;
}

const HIDDEN_LOGIT = -1e9;

/** One DPO step after another with LoRA in stock operations under the stock tape; each returns its loss. */
export function createStockRun({ model, policy, pairs, beta, learningRate }: StockRun) {
  const layout = layoutOf(model, pairs);
  const adapters = new Map(
    [...policy.weights.adapters].map(([name, { a, b, scale }]) => [
      name,
      { a: tf.variable(a), b: tf.variable(b), scale },
    ]),
  );
  const variables = [...adapters.values()].flatMap(({ a, b }) => [a, b]);
  const forward: Forward = { model, adapters, layout };
  // B is zero, so the untrained policy is the reference.
  const reference = tf.tidy(() => margins(answerLogps(forward)));
  const { beta1, beta2, epsilon } = adamwDefaults;
  const optimizer = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const lossOf = (): tf.Scalar =>
    tf.mean(tf.softplus(tf.mul(tf.sub(margins(answerLogps(forward)), reference), -beta)));
  return {
    step: async (): Promise<number> => {
      const cost = optimizer.minimize(lossOf, true, variables);
      if (cost === null) throw new Error("The optimizer returned no loss.");
      const [loss = NaN] = await cost.data();
      cost.dispose();
      return loss;
    },
    dispose: () => {
      optimizer.dispose();
      tf.dispose([variables, reference, layout.tokens, layout.labels]);
      tf.dispose([layout.cosines, layout.sines, layout.mask]);
    },
  };
}

function layoutOf({ config }: Model, pairs: readonly TokenPair[]): Layout {
  const sides = [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)];
  const prompts = [...pairs, ...pairs].map(({ prompt }) => prompt);
  const promptLength = prompts[0]?.length ?? 0;
  const length = promptLength + (sides[0]?.length ?? 0);
  const tokens = sides.flatMap((side, index) => [...(prompts[index] ?? []), ...side]);
  const answers = sides.flatMap((side) => [...side]);
  const table = ropeTable({ headDim: config.headDim, maxPositions: length, theta: config.ropeTheta });
  const plane = (offset: number) => table.filter((_, index) => index % 2 === offset);
  const group = config.heads / config.keyValueHeads;
  const mask = Float32Array.from({ length: group * length * length }, (_, index) =>
    index % length > Math.floor(index / length) % length ? HIDDEN_LOGIT : 0,
  );
  return {
    sequences: sides.length,
    length,
    promptLength,
    tokens: tf.tensor1d(tokens, "int32"),
    labels: tf.tidy(() =>
      tf.cast(tf.oneHot(tf.tensor1d(answers, "int32"), config.vocabularySize), "float32"),
    ),
    cosines: tf.tensor(plane(0), [length, config.headDim / 2]),
    sines: tf.tensor(plane(1), [length, config.headDim / 2]),
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
  const { model, layout } = forward;
  const { config, base } = model;
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
  const { heads, keyValueHeads, headDim } = forward.model.config;
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
  const scale = tf.rsqrt(tf.add(mean, forward.model.config.rmsNormEpsilon));
  return tf.mul(tf.mul(x, scale), weight(forward, name));
}

function linear(forward: Forward, name: string, x: tf.Tensor): tf.Tensor {
  const product = tf.matMul(x, weight(forward, name), false, true);
  const adapter = forward.adapters.get(name);
  if (adapter === undefined) return product;
  const low = tf.matMul(tf.matMul(x, adapter.a, false, true), adapter.b, false, true);
  return tf.add(product, tf.mul(low, adapter.scale));
}

function weight({ model }: Forward, name: string): tf.Tensor {
  const found = model.base.get(`${name}.weight`);
  if (found === undefined) throw new Error(`The model has no weight "${name}".`);
  return found;
}
