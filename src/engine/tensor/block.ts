/** A coarse node of the tape: many operations forward, a gradient written by hand. */
import { engine } from "./tfjs.ts";
import type { Tensor } from "./tfjs.ts";

/** What a block does. */
export interface Block {
  /**
   * Runs the forward operations, which are not recorded one by one, and returns the outputs; everything else it makes
   * is freed, except what it passes to `save` for the gradient.
   */
  readonly forward: (save: (tensors: readonly Tensor[]) => void) => Tensor[];
  /**
   * Gradients of the inputs in their order, each a closure so that the gradient of a frozen input costs nothing. A
   * missing upstream gradient of a block with several outputs arrives as zeros. A closure may write over `dys` and
   * return a clone of one when every output of the block has a single consumer.
   */
  readonly gradients: (dys: readonly Tensor[], saved: readonly Tensor[]) => readonly (() => Tensor)[];
}

interface BlockEngine {
  runKernelFunc(call: {
    forwardFunc: (backend: unknown, save: (tensors: readonly Tensor[]) => void) => Tensor[];
    backwardsFunc: (dy: Tensor | readonly Tensor[], saved: readonly Tensor[]) => Record<string, () => Tensor>;
    inputs: readonly Tensor[];
  }): Tensor[];
}

/** Runs a block on `inputs` and records it as one node when a tape is open. */
export function runBlock(inputs: readonly Tensor[], { forward, gradients }: Block): Tensor[] {
  return (engine() as unknown as BlockEngine).runKernelFunc({
    inputs,
    forwardFunc: (_backend, save) => forward(save),
    backwardsFunc: (dy, saved) => {
      const dys = Array.isArray(dy) ? (dy as readonly Tensor[]) : [dy as Tensor];
      const entries = gradients(dys, saved).map((closure, index) => [String(index), closure] as const);
      return Object.fromEntries(entries);
    },
  });
}
