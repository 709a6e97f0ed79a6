/** What our kernels compute, composed of stock operations. Only this folder registers the runtime's kernels. */
import "@tensorflow/tfjs-backend-webgpu/dist/register_all_kernels.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";
import type { MatmulForm } from "../../src/engine/kernels/matmul/matmul.wgsl.ts";

/** The same product as our `matmul`, by the runtime's own kernel. */
export function stockMatmul(a: tf.Tensor, b: tf.Tensor, form: MatmulForm): tf.Tensor {
  return tf.matMul(a, b, form === "atb", form === "abt");
}

/** x / rms(x) · gain. */
export function stockRmsNorm(x: tf.Tensor, gain: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.tidy(() => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), gain));
}
