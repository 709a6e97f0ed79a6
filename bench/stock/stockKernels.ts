/** What our kernels compute, composed of stock operations. Only this folder registers the runtime's kernels. */
import "@tensorflow/tfjs-backend-webgpu/dist/register_all_kernels.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import type { MatmulForm } from "../../src/engine/kernels/matmul/matmul.wgsl.ts";

const HIDDEN_LOGIT = -1e9;
/** Of the cube in the tanh form of GELU. */
const CUBE_WEIGHT = 0.044715;

/** The same product as our `matmul`, by the runtime's own kernel. */
export function stockMatmul(a: tf.Tensor, b: tf.Tensor, form: MatmulForm): tf.Tensor {
  return tf.matMul(a, b, form === "atb", form === "abt");
}

/** A group's up factors, its low-rank rows, and alpha / rank. */
export interface UpFactors {
  readonly xa: tf.Tensor;
  readonly bs: readonly tf.Tensor[];
  readonly scale: number;
}

/** x W^T + scale xa B^T, the members of the group side by side. */
export function stockLinearUp(x: tf.Tensor, weight: tf.Tensor, { xa, bs, scale }: UpFactors): tf.Tensor {
  return tf.tidy(() => {
    const parts = tf.split(xa, bs.length, 1).map((part, index) => tf.matMul(part, bs[index]!, false, true));
    return tf.add(tf.matMul(x, weight, false, true), tf.mul(tf.concat(parts, 1), scale));
  });
}

/** silu(gate) up or gelu(gate) up, and [gate | up]. */
export function stockLinearUpAct(
  x: tf.Tensor,
  weight: tf.Tensor,
  { activation, ...factors }: UpFactors & { readonly activation: "silu" | "geluTanh" },
): tf.Tensor[] {
  return tf.tidy(() => {
    const gu = stockLinearUp(x, weight, factors);
    const [gate, up] = tf.split(gu, 2, 1) as [tf.Tensor, tf.Tensor];
    const activated = activation === "silu" ? tf.mul(gate, tf.sigmoid(gate)) : stockGelu(gate);
    return [tf.mul(activated, up), gu];
  });
}

/** x / 2 (1 + tanh(√(2 / π) (x + 0.044715 x³))). */
function stockGelu(x: tf.Tensor): tf.Tensor {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), CUBE_WEIGHT)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

/** x W^T and x A^T. */
export function stockLinearDown(x: tf.Tensor, weight: tf.Tensor, a: tf.Tensor): tf.Tensor[] {
  return [tf.matMul(x, weight, false, true), tf.matMul(x, a, false, true)];
}

/** dy W and scale dy B of every member. */
export function stockLinearGradient(
  dy: tf.Tensor,
  weight: tf.Tensor,
  { bs, scale }: Pick<UpFactors, "bs" | "scale">,
): tf.Tensor[] {
  return tf.tidy(() => {
    const sizes = bs.map(({ shape }) => shape[0] ?? 0);
    const parts = tf.split(dy, sizes, 1).map((part, index) => tf.matMul(part, bs[index]!));
    return [tf.matMul(dy, weight), tf.mul(tf.concat(parts, 1), scale)];
  });
}

/** Gradients of A, then of every B, flat and one after another. */
export function stockLoraGradient(
  { dxa, x, dy, xa }: { dxa: tf.Tensor; x: tf.Tensor; dy: tf.Tensor; xa: tf.Tensor },
  { segments, scale }: { segments: readonly { columns: number; rank: number }[]; scale: number },
): tf.Tensor {
  return tf.tidy(() => {
    const columns = tf.split(
      dy,
      segments.map((segment) => segment.columns),
      1,
    );
    const ranks = tf.split(
      xa,
      segments.map(({ rank }) => rank),
      1,
    );
    const second = columns.map((part, index) =>
      tf.reshape(tf.mul(tf.matMul(part, ranks[index]!, true), scale), [-1]),
    );
    return tf.concat([tf.reshape(tf.matMul(dxa, x, true), [-1]), ...second]);
  });
}

/** h = x + y0 + scale ya B^T, its norm times the gain, and [1 / rms | xn A^T]. */
export function stockAddNorm(
  { x, y0, ya, gain, a, b }: Record<"x" | "y0" | "ya" | "gain" | "a" | "b", tf.Tensor>,
  { epsilon, scale }: { epsilon: number; scale: number },
): tf.Tensor[] {
  return tf.tidy(() => {
    const h = tf.add(tf.add(x, y0), tf.mul(tf.matMul(ya, b, false, true), scale));
    const reciprocal = tf.rsqrt(tf.add(tf.mean(tf.square(h), -1, true), epsilon));
    const xn = tf.mul(tf.mul(h, reciprocal), gain);
    return [h, xn, tf.concat([reciprocal, tf.matMul(xn, a, false, true)], 1)];
  });
}

/** dh plus the gradient of h through the norm. */
export function stockAddNormGradient({
  dxn0,
  dxa,
  a,
  h,
  aux,
  gain,
  dh,
}: Record<"dxn0" | "dxa" | "a" | "h" | "aux" | "gain" | "dh", tf.Tensor>): tf.Tensor {
  return tf.tidy(() => {
    const [rows = 0, columns = 1] = h.shape;
    const reciprocal = tf.slice(aux, [0, 0], [rows, 1]);
    const scaled = tf.mul(tf.add(dxn0, tf.matMul(dxa, a)), gain);
    const along = tf.mul(tf.sum(tf.mul(scaled, h), -1, true), tf.div(tf.pow(reciprocal, 3), columns));
    return tf.add(dh, tf.sub(tf.mul(scaled, reciprocal), tf.mul(h, along)));
  });
}

/** [dgate | dup] of silu(gate) up. */
export function stockMlpActGradient({
  da0,
  dxa,
  a,
  gu,
}: Record<"da0" | "dxa" | "a" | "gu", tf.Tensor>): tf.Tensor {
  return tf.tidy(() => {
    const da = tf.add(da0, tf.matMul(dxa, a));
    const [gate, up] = tf.split(gu, 2, 1) as [tf.Tensor, tf.Tensor];
    const s = tf.sigmoid(gate);
    const slope = tf.mul(s, tf.add(1, tf.mul(gate, tf.sub(1, s))));
    return tf.concat([tf.mul(tf.mul(da, up), slope), tf.mul(da, tf.mul(gate, s))], 1);
  });
}

interface Head {
  readonly hidden: tf.Tensor;
  readonly weight: tf.Tensor;
  readonly labels: tf.Tensor;
  readonly reference?: tf.Tensor;
}

/**
 * Log-prob of the label, entropy, KL(reference || policy), mean logit, log-sum-exp, that of the reference, log of the
 * summed squares, KL(policy || reference), whether the label is the top one: [rows, 9]. Without a reference, what needs
 * one is 0.
 */
export function stockHead({ hidden, weight, labels, reference }: Head): tf.Tensor {
  return tf.tidy(() => {
    const logits = tf.matMul(hidden, weight, false, true);
    const logps = tf.logSoftmax(logits);
    const isLabel = tf.cast(tf.oneHot(labels as tf.Tensor1D, weight.shape[0] ?? 0), "float32");
    const logp = tf.sum(tf.mul(logps, isLabel), -1, true);
    const others = reference === undefined ? null : tf.matMul(reference, weight, false, true);
    const otherLogps = others === null ? logps : tf.logSoftmax(others);
    const divergence = (p: tf.Tensor, q: tf.Tensor) => tf.sum(tf.mul(tf.exp(p), tf.sub(p, q)), -1, true);
    const zero = tf.zeros([hidden.shape[0] ?? 0, 1]);
    return tf.concat(
      [
        logp,
        tf.neg(tf.sum(tf.mul(tf.exp(logps), logps), -1, true)),
        others === null ? zero : divergence(otherLogps, logps),
        tf.mean(logits, -1, true),
        tf.logSumExp(logits, -1, true),
        others === null ? zero : tf.logSumExp(others, -1, true),
        tf.logSumExp(tf.mul(logps, 2), -1, true),
        others === null ? zero : divergence(logps, otherLogps),
        tf.cast(tf.greaterEqual(logp, tf.max(logps, -1, true)), "float32"),
      ],
      1,
    );
  });
}

/** Gradient of the hidden states when only the log-probs have one, dlogp [rows, 1]. */
export function stockHeadGradient({ hidden, weight, labels }: Head, dlogp: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const logits = tf.matMul(hidden, weight, false, true);
    const isLabel = tf.cast(tf.oneHot(labels as tf.Tensor1D, weight.shape[0] ?? 0), "float32");
    return tf.matMul(tf.mul(tf.sub(isLabel, tf.softmax(logits)), dlogp), weight);
  });
}

/** The same of the weight. */
export function stockHeadWeightGradient({ hidden, weight, labels }: Head, dlogp: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const logits = tf.matMul(hidden, weight, false, true);
    const isLabel = tf.cast(tf.oneHot(labels as tf.Tensor1D, weight.shape[0] ?? 0), "float32");
    return tf.matMul(tf.mul(tf.sub(isLabel, tf.softmax(logits)), dlogp), hidden, true, false);
  });
}

/** New parameters and moments after one clipped step of AdamW without decay. */
export function stockAdamw(
  { theta, m, v, gradients }: Record<"theta" | "m" | "v" | "gradients", tf.Tensor>,
  settings: {
    readonly learningRate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly maxGradNorm: number;
    readonly biasCorrection1: number;
    readonly biasCorrection2: number;
  },
): tf.Tensor[] {
  const { beta1, beta2 } = settings;
  return tf.tidy(() => {
    const norm = tf.sqrt(tf.sum(tf.square(gradients)));
    const factor = tf.minimum(tf.div(settings.maxGradNorm, tf.add(norm, 1e-6)), 1);
    const clipped = tf.mul(gradients, factor);
    const first = tf.add(tf.mul(m, beta1), tf.mul(clipped, 1 - beta1));
    const second = tf.add(tf.mul(v, beta2), tf.mul(tf.square(clipped), 1 - beta2));
    const root = tf.add(tf.sqrt(tf.div(second, settings.biasCorrection2)), settings.epsilon);
    const pull = tf.div(tf.div(first, settings.biasCorrection1), root);
    return [tf.sub(theta, tf.mul(pull, settings.learningRate)), first, second];
  });
}

/** Sizes of packed rows: whole sequences one after another. */
export interface PackedSizes {
  readonly sequences: number;
  readonly length: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
}

/** [length, length], a large negative number where a row may not look. */
export function causalMask({ length }: PackedSizes): Float32Array {
  return Float32Array.from({ length: length * length }, (_, index) =>
    index % length > Math.floor(index / length) ? HIDDEN_LOGIT : 0,
  );
}

/** Turns the planes (i, i + headDim / 2) of queries and keys; cosines and sines are [1, length, 1, headDim / 2]. */
export function stockRope(
  qkv: tf.Tensor,
  { cosines, sines }: Record<"cosines" | "sines", tf.Tensor>,
  { sequences, length, heads, keyValueHeads, headDim }: PackedSizes,
): tf.Tensor {
  return tf.tidy(() => {
    const turned = heads + keyValueHeads;
    const [qk, values] = tf.split(
      tf.reshape(qkv, [sequences, length, turned + keyValueHeads, headDim]),
      [turned, keyValueHeads],
      2,
    ) as [tf.Tensor, tf.Tensor];
    const [first, second] = tf.split(qk, 2, -1) as [tf.Tensor, tf.Tensor];
    const rotated = tf.concat(
      [
        tf.sub(tf.mul(first, cosines), tf.mul(second, sines)),
        tf.add(tf.mul(second, cosines), tf.mul(first, sines)),
      ],
      -1,
    );
    return tf.reshape(tf.concat([rotated, values], 2), qkv.shape);
  });
}

/** Queries, keys and values as [sequences, keyValueHeads, rows, headDim], the queries of a key side by side. */
function splitHeads(qkv: tf.Tensor, sizes: PackedSizes): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const { sequences, length, heads, keyValueHeads, headDim } = sizes;
  const states = tf.reshape(qkv, [sequences, length, heads + 2 * keyValueHeads, headDim]);
  const [q, k, v] = tf
    .split(states, [heads, keyValueHeads, keyValueHeads], 2)
    .map((part) => tf.transpose(part, [0, 2, 1, 3])) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const group = (heads / keyValueHeads) * length;
  return [tf.reshape(q, [sequences, keyValueHeads, group, headDim]), k, v];
}

/** Causal grouped-query attention of packed rows: [rows, heads · headDim]. */
export function stockAttention(qkv: tf.Tensor, mask: tf.Tensor, sizes: PackedSizes): tf.Tensor {
  const { sequences, length, heads, keyValueHeads, headDim } = sizes;
  return tf.tidy(() => {
    const [q, k, v] = splitHeads(qkv, sizes);
    const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(headDim));
    const masked = tf.add(scores, tf.tile(mask, [heads / keyValueHeads, 1]));
    const mixed = tf.reshape(tf.matMul(tf.softmax(masked), v), [sequences, heads, length, headDim]);
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [sequences * length, heads * headDim]);
  });
}

/** Gradient of packed rows through attention, with the forward pass that the stock tape needs for it. */
export function stockAttentionGradient(
  qkv: tf.Tensor,
  dOutput: tf.Tensor,
  { mask, sizes }: { readonly mask: tf.Tensor; readonly sizes: PackedSizes },
): tf.Tensor {
  return tf.tidy(() => tf.grad((x: tf.Tensor) => stockAttention(x, mask, sizes))(qkv, dOutput));
}
