/** Opens and closes the device that tensors live on: WebGPU, or the cpu backend when there is none. */
import { CpuBackend } from "./cpu.ts";
import { GpuBackend } from "./dispatch.ts";
import type { Counters } from "./dispatch.ts";
import { DeviceLostError, ErrorLog, NoWebGpuError } from "./errors.ts";
import type { DeviceError, NoWebGpuReason } from "./errors.ts";
import { typedError } from "./errorScopes.ts";
import { isSoftwareAdapter } from "./softwareAdapter.ts";
import { engine, registerBackend } from "./tfjs.ts";

const WANTED_FEATURES: readonly GPUFeatureName[] = ["shader-f16", "subgroups", "timestamp-query"];
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
] as const;

/** What the device is and can do. */
export interface DeviceReport {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True for software adapters, which compute on the processor. */
  readonly isFallbackAdapter: boolean;
  /** Features the device was opened with. */
  readonly features: readonly string[];
  /** Limits the device was opened with. */
  readonly limits: Readonly<Record<(typeof WANTED_LIMITS)[number], number>>;
  readonly hasShaderF16: boolean;
  readonly hasSubgroups: boolean;
  readonly hasTimestampQuery: boolean;
  /** Why WebGPU is not there; null when it is or was not looked for. */
  readonly noWebGpu: NoWebGpuReason | null;
}

/** An open device. */
export interface Device {
  readonly backend: "webgpu" | "cpu";
  readonly report: DeviceReport;
  /** The WebGPU device; null on the cpu backend. */
  readonly gpuDevice: GPUDevice | null;
  /** Resolves when the device is gone without our asking; stays pending after `close`. */
  readonly lost: Promise<DeviceLostError>;
  /** Calls `listener` for each device error; the returned function stops that. */
  onError(listener: (error: DeviceError) => void): () => void;
  /** Returns the errors so far and forgets them, after which reads work again. */
  takeErrors(): DeviceError[];
  /** Resolves when all submitted work is done and its errors have arrived. */
  settled(): Promise<void>;
  counters(): Counters;
  /** Sets how many dispatches are recorded before they are handed over. */
  setDispatchesPerSubmit(count: number): void;
  /** Makes this device the one new tensors live on. */
  activate(): void;
  /** Frees everything on the device; its tensors can only be disposed after that. */
  close(): void;
}

/** What to open. */
export interface OpenDeviceOptions {
  /** `auto` takes WebGPU and falls back to the cpu backend. */
  readonly backend: "auto" | "webgpu" | "cpu";
  /** Where WebGPU comes from; the environment's own by default. `navigator.gpu` must exist in any case. */
  readonly gpu?: GPU;
}

const NO_COUNTERS: Counters = {
  dispatches: 0,
  submits: 0,
  bufferWrites: 0,
  pipelines: 0,
  bindGroups: 0,
  bindGroupsHeld: 0,
};

/**
 * Opens a device and makes it the active one. One device of each backend can be open at a time. Throws `NoWebGpuError`
 * when WebGPU is asked for by name and missing.
 */
export async function openDevice({ backend, gpu }: OpenDeviceOptions): Promise<Device> {
  if (backend === "cpu") return openCpu(null);
  const offered = gpu ?? (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  const adapter = (await offered?.requestAdapter({ powerPreference: "high-performance" })) ?? null;
  if (adapter !== null) return openGpu(adapter);
  const reason = offered === undefined ? "no-gpu-api" : "no-adapter";
  if (backend === "webgpu") throw new NoWebGpuError(reason);
  return openCpu(reason);
}

async function openGpu(adapter: GPUAdapter): Promise<Device> {
  checkFree("webgpu");
  const gpuDevice = await adapter.requestDevice({
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits: pickLimits(adapter.limits),
  });
  const errors = new ErrorLog();
  const backend = new GpuBackend(gpuDevice, adapter.info, errors);
  // Kernels are keyed by the backend's name, so it must be the runtime's own.
  registerBackend("webgpu", () => backend, 3);
  const onUncaptured = ({ error }: GPUUncapturedErrorEvent): void => errors.add(typedError(error));
  gpuDevice.addEventListener("uncapturederror", onUncaptured);
  let isClosed = false;
  const lost = lossOf(gpuDevice, (error) => {
    if (!isClosed) errors.add(error);
    return !isClosed;
  });
  const device: Device = {
    backend: "webgpu",
    report: reportOf(adapter, gpuDevice),
    gpuDevice,
    lost,
    onError: (listener) => errors.listen(listener),
    takeErrors: () => errors.take(),
    settled: async () => {
      await backend.settled();
      await gpuDevice.queue.onSubmittedWorkDone();
    },
    counters: () => backend.counters(),
    setDispatchesPerSubmit: (count) => {
      backend.dispatchesPerSubmit = count;
    },
    activate: () => void engine().setBackend("webgpu"),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      gpuDevice.removeEventListener("uncapturederror", onUncaptured);
      engine().removeBackend("webgpu");
      gpuDevice.destroy();
    },
  };
  await engine().setBackend("webgpu");
  return device;
}

/** Resolves with the loss of a device when `report` takes it for one. */
function lossOf(device: GPUDevice, report: (error: DeviceLostError) => boolean): Promise<DeviceLostError> {
  return new Promise((resolve) => {
    void device.lost.then(({ reason, message }) => {
      const error = new DeviceLostError(`${reason}: ${message}`);
      if (report(error)) resolve(error);
    });
  });
}

async function openCpu(noWebGpu: NoWebGpuReason | null): Promise<Device> {
  checkFree("cpu");
  const backend = new CpuBackend();
  registerBackend("cpu", () => backend, 1);
  let isClosed = false;
  const device: Device = {
    backend: "cpu",
    report: cpuReport(noWebGpu),
    gpuDevice: null,
    lost: new Promise(() => undefined),
    onError: () => () => undefined,
    takeErrors: () => [],
    settled: () => Promise.resolve(),
    counters: () => NO_COUNTERS,
    setDispatchesPerSubmit: () => undefined,
    activate: () => void engine().setBackend("cpu"),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      engine().removeBackend("cpu");
    },
  };
  await engine().setBackend("cpu");
  return device;
}

function checkFree(name: string): void {
  if (engine().backendNames().includes(name)) throw new Error(`a ${name} device is already open`);
}

function pickLimits(offered: GPUSupportedLimits): DeviceReport["limits"] {
  const entries = WANTED_LIMITS.map((name) => [name, offered[name]] as const);
  return Object.fromEntries(entries) as DeviceReport["limits"];
}

function reportOf(adapter: GPUAdapter, gpuDevice: GPUDevice): DeviceReport {
  const { vendor, architecture, description } = adapter.info;
  const { features } = gpuDevice;
  return {
    vendor,
    architecture,
    description,
    isFallbackAdapter: isSoftwareAdapter(adapter.info),
    features: [...features].toSorted(),
    limits: pickLimits(gpuDevice.limits),
    hasShaderF16: features.has("shader-f16"),
    hasSubgroups: features.has("subgroups"),
    hasTimestampQuery: features.has("timestamp-query"),
    noWebGpu: null,
  };
}

function cpuReport(noWebGpu: NoWebGpuReason | null): DeviceReport {
  const entries = WANTED_LIMITS.map((name) => [name, 0] as const);
  return {
    vendor: "",
    architecture: "",
    description: "",
    isFallbackAdapter: false,
    features: [],
    limits: Object.fromEntries(entries) as DeviceReport["limits"],
    hasShaderF16: false,
    hasSubgroups: false,
    hasTimestampQuery: false,
    noWebGpu,
  };
}
