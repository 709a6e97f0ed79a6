/** Small operations that only the tests of this folder use. */
import type { Op, Shape } from "./op.ts";
import { run } from "./run.ts";
import { sizeOf } from "./shader.ts";

function grid(shape: Shape | undefined): [number, number, number] {
  return [Math.ceil(sizeOf(shape ?? []) / 64), 1, 1];
}

const INDEX = "@builtin(global_invocation_id) gid: vec3u";

const squareDxOp: Op<{ scale: number }> = {
  name: "test.squareDx",
  inputs: () => [
    { name: "x", type: "f32" },
    { name: "dy", type: "f32" },
    { name: "ds", type: "f32" },
  ],
  outputs: () => [{ name: "dx", type: "f32" }],
  uniforms: { count: "u32", scale: "f32" },
  outputShapes: ([x = []]) => [x],
  dispatch: ([x = []], { scale }) => ({
    wgsl: `@compute @workgroup_size(64) fn main(${INDEX}) {
  if (gid.x < uniforms.count) { dx[gid.x] = uniforms.scale * (2.0 * x[gid.x] * dy[gid.x] + ds[gid.x]); }
}`,
    uniforms: { count: sizeOf(x), scale },
    workgroups: grid(x),
  }),
  cpu: ([x, dy, ds], [dx], _shapes, { scale }) => {
    if (x === undefined || dy === undefined || ds === undefined || dx === undefined) {
      throw new Error("test.squareDx takes three inputs");
    }
    for (let i = 0; i < dx.length; i++) dx[i] = scale * (2 * (x[i] ?? 0) * (dy[i] ?? 0) + (ds[i] ?? 0));
  },
};

/** y = scale * x * x and s = scale * x. */
export const squareOp: Op<{ scale: number }> = {
  name: "test.square",
  inputs: () => [{ name: "x", type: "f32" }],
  outputs: () => [
    { name: "y", type: "f32" },
    { name: "s", type: "f32" },
  ],
  uniforms: { count: "u32", scale: "f32" },
  outputShapes: ([x = []]) => [x, x],
  dispatch: ([x = []], { scale }) => ({
    wgsl: `@compute @workgroup_size(64) fn main(${INDEX}) {
  if (gid.x < uniforms.count) { s[gid.x] = uniforms.scale * x[gid.x]; y[gid.x] = s[gid.x] * x[gid.x]; }
}`,
    uniforms: { count: sizeOf(x), scale },
    workgroups: grid(x),
  }),
  cpu: ([x], [y, s], _shapes, { scale }) => {
    if (x === undefined || y === undefined || s === undefined) throw new Error("test.square takes one input");
    for (let i = 0; i < x.length; i++) {
      s[i] = scale * (x[i] ?? 0);
      y[i] = (s[i] ?? 0) * (x[i] ?? 0);
    }
  },
  gradient: (dys, [x], _outputs, attrs) => ({
    x: () => {
      if (x === undefined) throw new Error("test.square saves its input");
      const [dx] = run(squareDxOp, [x, ...dys], attrs);
      if (dx === undefined) throw new Error("test.squareDx has one output");
      return dx;
    },
  }),
};

/** target += step * source, in place; counts its calls in an integer output. */
export const addInPlaceOp: Op<{ step: number }> = {
  name: "test.addInPlace",
  inputs: () => [
    { name: "changed", type: "f32", isMutable: true },
    { name: "source", type: "f32" },
    { name: "words", type: "u32" },
  ],
  outputs: () => [{ name: "doubled", type: "i32" }],
  uniforms: { count: "u32", step: "f32" },
  outputShapes: ([, , words = []]) => [words],
  dispatch: ([x = []], { step }) => ({
    wgsl: `@compute @workgroup_size(64) fn main(${INDEX}) {
  if (gid.x < uniforms.count) {
    changed[gid.x] += uniforms.step * source[gid.x];
    doubled[gid.x] = i32(words[gid.x] * 2u);
  }
}`,
    uniforms: { count: sizeOf(x), step },
    workgroups: grid(x),
  }),
  cpu: ([changed, source, words], [doubled], _shapes, { step }) => {
    if (changed === undefined || source === undefined || words === undefined || doubled === undefined) {
      throw new Error("test.addInPlace takes three inputs");
    }
    for (let i = 0; i < changed.length; i++) {
      changed[i] = (changed[i] ?? 0) + step * (source[i] ?? 0);
      doubled[i] = (words[i] ?? 0) * 2;
    }
  },
};

/** A shader that no compiler accepts. */
export const brokenOp: Op = {
  name: "test.broken",
  inputs: () => [{ name: "x", type: "f32" }],
  outputs: () => [{ name: "y", type: "f32" }],
  uniforms: { count: "u32" },
  outputShapes: ([x = []]) => [x],
  dispatch: ([x = []]) => ({
    wgsl: `@compute @workgroup_size(64) fn main() { y[uniforms.count] = x[0] + nothing; }`,
    uniforms: { count: sizeOf(x) },
    workgroups: [1, 1, 1],
  }),
  cpu: () => undefined,
};
