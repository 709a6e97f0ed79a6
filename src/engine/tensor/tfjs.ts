/** The one place that imports the tensor runtime. */
export type { Tensor } from "@tensorflow/tfjs-core";
