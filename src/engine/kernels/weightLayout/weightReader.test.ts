import { create } from "webgpu";
import { expect, it } from "vitest";
import type { Op, Shape } from "../../tensor/op.ts";
import { shaderOf } from "../../tensor/shader.ts";
import { packedEmbeddingOp } from "../embedding/embedding.ts";
import {
  headAttrs,
  lmHeadHiddenGradientOp,
  lmHeadLogProbsOp,
  statisticsWidth,
} from "../lmHeadLogProbs/lmHeadLogProbs.ts";
import { matmulAttrs, matmulOp } from "../matmul/matmul.ts";

/** Messages of the shader compiler for an operation, on a device that does nothing but has every feature. */
async function compilerMessages<A extends object>(op: Op<A>, shapes: readonly Shape[], attrs: A) {
  const adapter = await create(["backend=null"]).requestAdapter();
  const device = await adapter?.requestDevice({ requiredFeatures: ["shader-f16"] });
  if (device === undefined) throw new Error("no device without a backend");
  const { wgsl } = shaderOf(op, shapes, attrs);
  expect(wgsl.startsWith("enable f16;")).toBe(true);
  device.pushErrorScope("validation");
  const { messages } = await device.createShaderModule({ code: wgsl }).getCompilationInfo();
  const error = await device.popErrorScope();
  device.destroy();
  return [...messages.map(({ message }) => message), ...(error === null ? [] : [error.message])];
}

// No software GPU has 16-bit floats in its shaders, so that this text runs on real ones alone.
it("gives text that compiles where shaders have 16-bit floats", async () => {
  const half = { layout: "f16", isNativeHalf: true } as const;
  for (const form of ["abt", "ab"] as const) {
    const shapes = [[64, form === "abt" ? 96 : 128], [128, 48]]; // prettier-ignore
    const attrs = matmulAttrs(shapes, { form, packedInputs: 96, ...half });
    expect(await compilerMessages(matmulOp, shapes, attrs)).toEqual([]);
  }
  const attrs = { columns: 96, scale: 1, ...half };
  expect(await compilerMessages(packedEmbeddingOp, [[5], [128, 48]], attrs)).toEqual([]);
  const head = headAttrs(96, { softCap: 30, ...half });
  const shapes = [[5, 96], [128, 48], [5]]; // prettier-ignore
  expect(await compilerMessages(lmHeadLogProbsOp, shapes, head)).toEqual([]);
  const statistics = [5, statisticsWidth];
  expect(await compilerMessages(lmHeadHiddenGradientOp, [...shapes, statistics, statistics], head)).toEqual(
    [],
  );
});
