/** The complete shader text of one dispatch: generated declarations, then the operation's own text. */
import type { Binding, Dispatch, Op, Shape } from "./op.ts";
import { ShapeError } from "./op.ts";

/** WebGPU guarantees this many storage buffers per stage on every device. */
const MAX_STORAGE_BUFFERS = 8;
/** Uniforms live in 256-byte slots. */
const MAX_UNIFORM_MEMBERS = 64;
/** WebGPU guarantees this many workgroups per dimension, and most devices offer no more. */
const MAX_WORKGROUPS = 65_535;

/** Every device runs this many invocations in a workgroup, also those in compatibility mode. */
const MAX_INVOCATIONS = 128;

/** One dispatch ready for a device: text, access of each storage binding, uniform values and grid. */
export interface Shader extends Dispatch {
  /** Name of the operation, for labels and error messages. */
  readonly operation: string;
  /** True for each storage binding, in binding order, that the shader may write. */
  readonly writable: readonly boolean[];
  /** Types of the uniform members in order. */
  readonly uniformTypes: Op["uniforms"];
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether a binding holds 32-bit integers. */
export function isInteger(binding: Binding): boolean {
  return !binding.type.includes("f32");
}

/** Number of 32-bit words that one bound element takes. */
function wordsOf({ type }: Binding): number {
  if (type === "vec2<u32>" || type === "vec4<f16>") return 2;
  return type.startsWith("vec4") ? 4 : 1;
}

/**
 * Builds the shader of `op` for inputs of the given shapes. Pure: needs no device.
 * Throws `ShapeError` for inputs that do not fit and `RangeError` for a dispatch no device could run.
 */
export function shaderOf<A extends object>(op: Op<A>, inputs: readonly Shape[], attrs: A): Shader {
  const dispatch = op.dispatch(inputs, attrs);
  const outputs = op.outputs(attrs).map((binding) => ({ ...binding, isMutable: true }));
  const bindings = [...outputs, ...op.inputs(attrs)];
  checkLimits(op, bindings.length, dispatch.workgroups);
  checkWorkgroupSize(op.name, dispatch.wgsl);
  // `enable` directives must come before every declaration.
  const { directives, body } = splitDirectives(dispatch.wgsl);
  const lines = bindings.map((binding, index) => declare(binding, index));
  const members = Object.entries(op.uniforms).map(([name, type]) => `${name}: ${type}`);
  const text = [
    ...directives,
    `struct Uniforms { ${members.join(", ")} }`,
    ...lines,
    `@group(0) @binding(${bindings.length}) var<uniform> uniforms: Uniforms;`,
    body,
  ];
  return {
    operation: op.name,
    wgsl: text.join("\n"),
    uniforms: dispatch.uniforms,
    workgroups: dispatch.workgroups,
    writable: bindings.map((binding) => binding.isMutable === true),
    uniformTypes: op.uniforms,
  };
}

function declare({ name, type, isMutable }: Binding, index: number): string {
  const access = isMutable === true ? "read_write" : "read";
  return `@group(0) @binding(${index}) var<storage, ${access}> ${name}: array<${type}>;`;
}

function splitDirectives(wgsl: string): { directives: string[]; body: string } {
  const directives: string[] = [];
  const body = wgsl.replace(/^\s*(?:enable|requires)\s[^;]*;/gm, (directive) => {
    directives.push(directive.trim());
    return "";
  });
  return { directives, body };
}

function checkLimits(op: { name: string; uniforms: object }, buffers: number, grid: readonly number[]): void {
  if (buffers > MAX_STORAGE_BUFFERS) {
    throw new RangeError(
      `${op.name} binds ${buffers} buffers, at most ${MAX_STORAGE_BUFFERS} are guaranteed`,
    );
  }
  const members = Object.keys(op.uniforms).length;
  if (members < 1 || members > MAX_UNIFORM_MEMBERS) {
    throw new RangeError(`${op.name} has ${members} uniforms, 1 to ${MAX_UNIFORM_MEMBERS} are possible`);
  }
  for (const count of grid) {
    if (!Number.isInteger(count) || count < 0 || count > MAX_WORKGROUPS) {
      throw new RangeError(`${op.name} wants ${grid.join(" x ")} workgroups, at most ${MAX_WORKGROUPS} each`);
    }
  }
}

function checkWorkgroupSize(name: string, wgsl: string): void {
  const size = /@workgroup_size\(([^)]*)\)/.exec(wgsl)?.[1];
  if (size === undefined) return;
  const invocations = size.split(",").reduce((product, axis) => product * Number(axis), 1);
  // A size that is no number cannot be checked, so it is refused as well.
  if (!(invocations <= MAX_INVOCATIONS)) {
    throw new RangeError(
      `${name} has workgroups of ${size} invocations, at most ${MAX_INVOCATIONS} are possible`,
    );
  }
}

/** Checks names, element types and lengths of inputs against the bindings; throws `ShapeError`. */
export function checkInputs(
  operation: string,
  bindings: readonly Binding[],
  inputs: readonly { readonly shape: Shape; readonly dtype: string }[],
): void {
  if (bindings.length !== inputs.length) {
    throw new ShapeError(`${operation} takes ${bindings.length} inputs, not ${inputs.length}`);
  }
  bindings.forEach((binding, index) => {
    const input = inputs[index];
    if (input === undefined) return;
    const dtype = isInteger(binding) ? "int32" : "float32";
    if (input.dtype !== dtype) {
      throw new ShapeError(`${operation}: ${binding.name} holds ${input.dtype}, ${dtype} is needed`);
    }
    const size = sizeOf(input.shape);
    if (size === 0) throw new ShapeError(`${operation}: ${binding.name} is empty`);
    const step = wordsOf(binding);
    if (size % step !== 0) {
      throw new ShapeError(`${operation}: ${binding.name} has ${size} elements, not a multiple of ${step}`);
    }
  });
}
