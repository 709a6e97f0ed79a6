import { afterAll, beforeAll, expect, it } from "vitest";
import { GpuBackend } from "./dispatch.ts";
import { ErrorLog } from "./errors.ts";
import { engine } from "./tfjs.ts";

const names = ["navigator", "GPUBufferUsage"] as const;
const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);

beforeAll(() => {
  // The runtime's backend only looks for these two before it is first used.
  Object.defineProperty(globalThis, "navigator", { value: { gpu: {} }, configurable: true });
  Object.defineProperty(globalThis, "GPUBufferUsage", {
    value: { UNIFORM: 64, COPY_DST: 8 },
    configurable: true,
  });
});

afterAll(() => {
  for (const [name, descriptor] of before) {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, descriptor);
  }
});

it("finds the private fields of the runtime's WebGPU backend that dispatch relies on", () => {
  const device = { features: new Set(), queue: {}, createBuffer: () => ({}) } as unknown as GPUDevice;
  const backend = new GpuBackend(device, { architecture: "" } as GPUAdapterInfo, new ErrorLog());
  const fields = backend as unknown as Record<string, unknown>;
  expect(fields["tensorMap"]).toHaveProperty("get");
  for (const name of ["commandEncoder", "computePassEncoder"]) expect(fields).toHaveProperty(name, null);
  expect(fields["bufferManager"]).toMatchObject({ freeBuffers: new Map() });
  for (const name of ["acquireBuffer", "releaseBuffer"])
    expect(fields["bufferManager"]).toHaveProperty(name, expect.any(Function));
  expect(fields["uniformPendingDisposal"]).toEqual([]);
  for (const name of [
    "uploadToGPU",
    "ensureCommandEncoderReady",
    "endComputePassEncoder",
    "submitQueue",
    "disposeData",
  ]) {
    expect(fields).toHaveProperty(name, expect.any(Function));
  }
});

it("finds the private fields of the runtime's tape that recording relies on", () => {
  const runtime = engine() as unknown as Record<string, unknown>;
  for (const name of ["startTape", "endTape", "runKernelFunc", "removeDataId"])
    expect(runtime).toHaveProperty(name, expect.any(Function));
  expect(runtime["state"]).toMatchObject({ gradientDepth: 0, kernelDepth: 0 });
});
