import { expect, it } from "vitest";
import { openDevice } from "./device.ts";
import { DeviceLostError, ErrorLog, GpuValidationError, NoWebGpuError } from "./errors.ts";
import { read, tensor } from "./run.ts";

const noAdapter = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;

it("falls back to the cpu backend and says why", async () => {
  const device = await openDevice({ backend: "auto", gpu: noAdapter });
  expect(device.backend).toBe("cpu");
  expect(device.report.noWebGpu).toBe("no-adapter");
  expect(await read(tensor([1], [1]))).toEqual(new Float32Array([1]));
  device.close();
  const without = await openDevice({ backend: "auto" });
  expect(without.report.noWebGpu).toBe("no-gpu-api");
  without.close();
});

it("throws when WebGPU is asked for by name and missing", async () => {
  const opening = openDevice({ backend: "webgpu", gpu: noAdapter });
  await expect(opening).rejects.toThrow(NoWebGpuError);
  await expect(opening).rejects.toMatchObject({ reason: "no-adapter" });
});

it("opens again after closing, but not twice at once", async () => {
  const first = await openDevice({ backend: "cpu" });
  await expect(openDevice({ backend: "cpu" })).rejects.toThrow("already open");
  first.close();
  first.close();
  expect(() => tensor([1], [1])).toThrow("no device is open");
  const second = await openDevice({ backend: "cpu" });
  expect(await read(tensor([2], [1]))).toEqual(new Float32Array([2]));
  second.close();
});

it("keeps throwing the first error until it is taken, and a lost device for ever", () => {
  const log = new ErrorLog();
  const heard: Error[] = [];
  const stop = log.listen((error) => heard.push(error));
  log.throwFirst();
  const [first, lost] = [new GpuValidationError("first"), new DeviceLostError("gone")];
  log.add(first);
  stop();
  log.add(lost);
  expect(() => log.throwFirst()).toThrow(first);
  expect(log.take()).toEqual([first, lost]);
  expect(heard).toEqual([first]);
  expect(() => log.throwFirst()).toThrow(lost);
  expect(log.take()).toEqual([]);
});
