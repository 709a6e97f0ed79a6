import { expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import type { Op } from "./op.ts";
import { shaderOf } from "./shader.ts";
import { addInPlaceOp } from "./testOps.ts";

it("declares outputs, then inputs, then the uniform block", () => {
  const { wgsl, writable } = shaderOf(addInPlaceOp, [[2], [2], [2]], { step: 1 });
  expect(wgsl.split("\n").slice(0, 6)).toEqual([
    "struct Uniforms { count: u32, step: f32 }",
    "@group(0) @binding(0) var<storage, read_write> doubled: array<i32>;",
    "@group(0) @binding(1) var<storage, read_write> changed: array<f32>;",
    "@group(0) @binding(2) var<storage, read> source: array<f32>;",
    "@group(0) @binding(3) var<storage, read> words: array<u32>;",
    "@group(0) @binding(4) var<uniform> uniforms: Uniforms;",
  ]);
  expect(writable).toEqual([true, true, false, false]);
});

function changed(change: Partial<Op>, wgsl = "", groups = 1): Op {
  return { ...accumulateOp, ...change, dispatch: () => ({ wgsl, uniforms: {}, workgroups: [groups, 1, 1] }) };
}

it("moves enable directives to the front", () => {
  const { wgsl } = shaderOf(changed({}, "enable f16;\nfn main() {}"), [[1], [1]], {});
  expect(wgsl.startsWith("enable f16;\nstruct Uniforms")).toBe(true);
  expect(wgsl.match(/enable/g)).toHaveLength(1);
});

it("refuses what no device is sure to run", () => {
  const inputs = Array.from({ length: 8 }, (_, index) => ({ name: `x${index}`, type: "f32" as const }));
  expect(() => shaderOf(changed({ inputs: () => inputs }), [[1]], {})).toThrow("binds 9 buffers");
  expect(() => shaderOf(changed({ uniforms: {} }), [[1], [1]], {})).toThrow("0 uniforms");
  expect(() => shaderOf(changed({}, "", 65_536), [[1], [1]], {})).toThrow("65536 x 1 x 1 workgroups");
  expect(() => shaderOf(changed({}, "", 0.5), [[1], [1]], {})).toThrow("workgroups");
  const withSize = (size: string) => () =>
    shaderOf(changed({}, `@compute @workgroup_size(${size})`), [[1], [1]], {});
  expect(withSize("16, 8")).not.toThrow();
  for (const size of ["129", "16, 16", "WIDTH"]) expect(withSize(size)).toThrow(`workgroups of ${size}`);
});
