import { afterEach, beforeEach, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import type { Device } from "./device.ts";
import { DeviceLostError, GpuOutOfMemoryError, GpuValidationError, ShaderError } from "./errors.ts";
import { GpuBackend } from "./dispatch.ts";
import { activeBackend, memory, read, run, tensor, zeros } from "./run.ts";
import { shaderOf } from "./shader.ts";
import { closeTestDevice, failOnDeviceErrors, openTestDevice } from "./testing.ts";
import { brokenOp } from "./testOps.ts";

let device: Device;
beforeEach(async () => {
  device = await openTestDevice();
});
afterEach(() => closeTestDevice());

/** Records a dispatch with more workgroups than any device allows, past the door's own check. */
function dispatchBadly(): void {
  const backend = activeBackend();
  if (!(backend instanceof GpuBackend)) throw new Error("not on WebGPU");
  const tensors = [1, 2, 3].map((value) => tensor([value], [1]));
  const shader = shaderOf(accumulateOp, [[1], [1]], {});
  backend.dispatch({ ...shader, workgroups: [1_000_000, 1, 1] }, tensors);
}

it("reports the device", () => {
  const { report } = device;
  expect(device.backend).toBe("webgpu");
  expect(report.noWebGpu).toBeNull();
  expect(report.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
  expect(report.limits.maxBufferSize).toBe(device.gpuDevice?.limits.maxBufferSize);
  expect(report.hasShaderF16).toBe(report.features.includes("shader-f16"));
  const isSoftware = ["swiftshader", "llvmpipe"].includes(report.architecture);
  expect(report.isFallbackAdapter || !isSoftware).toBe(true);
});

it("turns a bad dispatch into a typed error at every read until it is taken", async () => {
  const x = tensor([1], [1]);
  const heard: Error[] = [];
  device.onError((error) => heard.push(error));
  dispatchBadly();
  await expect(read(x)).rejects.toBeInstanceOf(GpuValidationError);
  await expect(read(x)).rejects.toBeInstanceOf(GpuValidationError);
  expect(heard[0]).toBeInstanceOf(GpuValidationError);
  expect(device.takeErrors()).toEqual(heard);
  expect(await read(x)).toEqual(new Float32Array([1]));
});

it("fails the test whose dispatch was bad, although nothing was read", async () => {
  dispatchBadly();
  await expect(failOnDeviceErrors()).rejects.toBeInstanceOf(AggregateError);
  await failOnDeviceErrors();
});

it("fails the test that made anything invalid, although nothing was dispatched", async () => {
  device.gpuDevice?.createBuffer({ size: 4, usage: 0 });
  await expect(failOnDeviceErrors()).rejects.toBeInstanceOf(AggregateError);
});

it("names the operation whose shader does not compile", async () => {
  const [y] = run(brokenOp, [tensor([1], [1])], {});
  await expect(read(y!)).rejects.toBeInstanceOf(ShaderError);
  expect(device.takeErrors()[0]).toMatchObject({ operation: "test.broken" });
});

it("tells of a shader that does not compile when it is warmed up", async () => {
  const backend = activeBackend() as GpuBackend;
  await expect(backend.cache.warm(shaderOf(brokenOp, [[1]], {}))).rejects.toMatchObject({
    operation: "test.broken",
  });
  await backend.cache.warm(shaderOf(accumulateOp, [[1], [1]], {}));
  expect(device.counters().pipelines).toBe(1);
  const [y] = run(accumulateOp, [tensor([1], [1]), tensor([2], [1])], {});
  expect(await read(y!)).toEqual(new Float32Array([3]));
  expect(device.counters().pipelines).toBe(1);
});

it("tells that a tensor does not fit", async () => {
  const { maxBufferSize } = device.report.limits;
  const x = zeros([maxBufferSize / 4 + 1]);
  await expect(read(x)).rejects.toThrow(/size/);
  device.takeErrors();
});

it("tells out of memory from other errors", () => {
  const error = new GPUOutOfMemoryError("no room");
  device.gpuDevice?.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error }));
  const [taken] = device.takeErrors();
  expect(taken).toBeInstanceOf(GpuOutOfMemoryError);
  expect(taken?.message).toBe("no room");
});

it("turns a lost device into a typed error, and opens again after closing", async () => {
  const x = tensor([1], [1]);
  device.gpuDevice?.destroy();
  await expect(read(x)).rejects.toBeInstanceOf(DeviceLostError);
  expect(await device.lost).toBeInstanceOf(DeviceLostError);
  x.dispose();
  await closeTestDevice();
  const again = await openTestDevice();
  expect(again).not.toBe(device);
  const before = memory().numTensors;
  const [y] = run(accumulateOp, [tensor([1], [1]), tensor([2], [1])], {});
  expect(await read(y!)).toEqual(new Float32Array([3]));
  expect(memory().numTensors).toBe(before + 3);
});

it("keeps quiet about a device closed by us", async () => {
  const heard: Error[] = [];
  device.onError((error) => heard.push(error));
  device.close();
  await device.gpuDevice?.lost;
  expect(heard).toEqual([]);
});
