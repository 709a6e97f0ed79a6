/** What our kernels compute of single rows, composed of stock operations. */
import * as tf from "@tensorflow/tfjs-core";
import { stockRope, type PackedSizes } from "./stockKernels.ts";

/** Rows of a matrix by their ids. */
export function stockEmbedding(ids: tf.Tensor, weight: tf.Tensor): tf.Tensor {
  return tf.gather(weight, ids);
}

/** x over its root mean square, times the gain. */
export function stockRmsNorm(x: tf.Tensor, gain: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.tidy(() => {
    const reciprocal = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
    return tf.mul(tf.mul(x, reciprocal), gain);
  });
}

/** x less its mean, over its standard deviation, times the gain, plus the bias. */
export function stockLayerNorm(
  x: tf.Tensor,
  { gain, bias, epsilon }: { readonly gain: tf.Tensor; readonly bias: tf.Tensor; readonly epsilon: number },
): tf.Tensor {
  return tf.tidy(() => {
    const { mean, variance } = tf.moments(x, -1, true);
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), gain), bias);
  });
}

/** What norms and turns queries and keys. */
interface QkNormInputs extends Record<"qGain" | "kGain" | "cosines" | "sines", tf.Tensor> {
  readonly epsilon: number;
}

/** Norms every head of queries and keys, then turns it; values stay. */
export function stockQkNormRope(
  qkv: tf.Tensor,
  { qGain, kGain, cosines, sines, epsilon }: QkNormInputs,
  sizes: PackedSizes,
): tf.Tensor {
  const { heads, keyValueHeads, headDim } = sizes;
  return tf.tidy(() => {
    const states = tf.reshape(qkv, [-1, heads + 2 * keyValueHeads, headDim]);
    const [q, k, v] = tf.split(states, [heads, keyValueHeads, keyValueHeads], 1) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const normed = tf.concat([stockRmsNorm(q, qGain, epsilon), stockRmsNorm(k, kGain, epsilon), v], 1);
    return stockRope(tf.reshape(normed, qkv.shape), { cosines, sines }, sizes);
  });
}

/** The token at a fraction [rows, 1] of the probabilities of logits [rows, vocabulary], laid end to end. */
export function stockSample(logits: tf.Tensor, fractions: tf.Tensor, temperature: number): tf.Tensor {
  return tf.tidy(() => {
    const upTo = tf.cumsum(tf.softmax(tf.div(logits, temperature)), 1);
    return tf.sum(tf.cast(tf.lessEqual(upTo, fractions), "int32"), 1);
  });
}
