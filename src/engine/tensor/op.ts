/**
 * What an operation is: one dispatch on WebGPU, one plain loop on the cpu, one gradient for the tape.
 * A kernel folder exports values of type `Op`; `engine/tensor/run.ts` knows how to run them on either backend.
 */
import type { Tensor } from "./tfjs.ts";

/** Sizes from the slowest to the fastest axis; data is row-major. */
export type Shape = readonly number[];

/** Arrays of numbers an oracle computes on: 32 bit on a backend, 64 bit in finite-difference tests. */
export type Floats = Float32Array | Float64Array;

/** What a tensor holds on the host: numbers, or indices. */
export type Values = Floats | Int32Array;

/**
 * WGSL element type of a bound array; `vec4<f32>` needs a length that is a multiple of 4. `vec2<u32>` and `vec4<f16>`
 * are two words each; the second needs `enable f16;` in the text and a device that has it.
 */
export type ElementType =
  "f32" | "i32" | "u32" | "vec4<f32>" | "vec4<i32>" | "vec2<u32>" | "vec4<u32>" | "vec4<f16>";

/** One buffer of an operation, by the name its shader text uses. */
export interface Binding {
  readonly name: string;
  readonly type: ElementType;
  /** An input that the operation changes in place (optimizer state, a key-value cache). */
  readonly isMutable?: boolean;
}

/** The one dispatch of an operation for given shapes. */
export interface Dispatch {
  /**
   * WGSL text without the binding declarations, which are generated from the operation's bindings and
   * uniforms. Must contain `@compute @workgroup_size(...) fn main(...)`. Anything baked in as a constant
   * makes a new pipeline, so bake widths and heads, never row counts.
   */
  readonly wgsl: string;
  /** Values of the declared uniforms (`uniforms.<name>` in the shader). */
  readonly uniforms: Readonly<Record<string, number>>;
  /** Workgroups in x, y, z, each at most 65,535. */
  readonly workgroups: readonly [number, number, number];
}

/** An operation. `Attrs` are the plain numbers, booleans and words that specialise it. */
export interface Op<Attrs extends object = object> {
  /** Unique; registered with the tensor runtime as `ps.<name>`. */
  readonly name: string;
  /** Buffers in binding order: outputs are bound first, then inputs, then the uniform block. */
  readonly inputs: (attrs: Attrs) => readonly Binding[];
  readonly outputs: (attrs: Attrs) => readonly Binding[];
  /** Members of the uniform struct in order; all are 4 bytes. */
  readonly uniforms: Readonly<Record<string, "u32" | "i32" | "f32">>;
  /** Shapes of the outputs; throws `ShapeError` when the inputs do not fit together. */
  readonly outputShapes: (inputs: readonly Shape[], attrs: Attrs) => readonly Shape[];
  readonly dispatch: (inputs: readonly Shape[], attrs: Attrs) => Dispatch;
  /** Plain-loop oracle: reads `inputs`, fills `outputs` (zeroed before the call), accumulates in float64. */
  readonly cpu: (
    inputs: readonly Values[],
    outputs: readonly Floats[],
    shapes: readonly Shape[],
    attrs: Attrs,
  ) => void;
  /**
   * Gradients by input name, each a closure so that the gradient of a frozen input costs nothing.
   * `dys[i]` belongs to output i. Inputs left out have no gradient.
   */
  readonly gradient?: (
    dys: readonly Tensor[],
    inputs: readonly Tensor[],
    outputs: readonly Tensor[],
    attrs: Attrs,
  ) => Readonly<Record<string, () => Tensor>>;
}

/** Inputs of an operation that do not fit together; the message holds both numbers. */
export class ShapeError extends Error {
  override name = "ShapeError";
}
