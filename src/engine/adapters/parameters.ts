/** The parameters that train, in one flat buffer: one optimizer step updates them all, whatever their number. */
import { dispose, tensor, view } from "../tensor/run.ts";
import { sizeOf } from "../tensor/shader.ts";
import { ShapeError, type Shape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** A parameter by its name, as a view of the flat buffer. */
export interface Trainable {
  readonly name: string;
  readonly tensor: Tensor;
  /** First element in the flat buffer. */
  readonly offset: number;
}

/** Flat parameters with a view of each. */
export interface FlatParameters {
  /** [parameters] */
  readonly theta: Tensor;
  readonly trainables: readonly Trainable[];
  readonly dispose: () => void;
}

/** A parameter before it has a place: its first values come last, when the buffer is filled. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float32Array | null;
}

/** Puts parameters one after another into a flat buffer; `null` values are zeros. Throws `ShapeError` for a wrong count. */
export function flatParameters(specs: readonly ParameterSpec[]): FlatParameters {
  const offsets = offsetsOf(specs.map(({ shape }) => sizeOf(shape)));
  const values = new Float32Array(offsets.at(-1) ?? 0);
  specs.forEach((spec, index) => {
    if (spec.values === null) return;
    // Too many would run into the neighbour.
    if (spec.values.length !== sizeOf(spec.shape)) {
      throw new ShapeError(
        `"${spec.name}" is [${spec.shape.join(", ")}], given ${spec.values.length} values`,
      );
    }
    values.set(spec.values, offsets[index]);
  });
  const theta = tensor(values, [values.length]);
  const trainables = specs.map(({ name, shape }, index) => {
    const offset = offsets[index] ?? 0;
    return { name, offset, tensor: view(theta, offset, shape) };
  });
  return {
    theta,
    trainables,
    dispose: () => {
      dispose([...trainables.map((trainable) => trainable.tensor), theta]);
    },
  };
}

/** Where each of neighbouring sizes begins, and where the last ends. */
function offsetsOf(sizes: readonly number[]): number[] {
  const offsets = [0];
  for (const size of sizes) offsets.push((offsets.at(-1) ?? 0) + size);
  return offsets;
}
