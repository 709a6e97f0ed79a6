/** Opens the device that the page asks for, with the faults that it asks for. */
import { openDevice, type Device } from "../engine/tensor/device.ts";
import { NoWebGpuError } from "../engine/tensor/errors.ts";
import { refuse } from "./errorReport.ts";
import type { Commands } from "./protocol.ts";

/** Rejects when WebGPU was asked for by name and is not there; otherwise the cpu takes its place. */
export async function openBackend({
  backend,
  isSecure,
  injections,
}: Commands["open"]["question"]): Promise<Device> {
  const denied = injections.find(({ kind }) => kind === "no-gpu" || kind === "no-adapter");
  try {
    if (denied === undefined) return await openDevice({ backend });
    if (backend === "webgpu") {
      throw new NoWebGpuError(denied.kind === "no-gpu" ? "no-gpu-api" : "no-adapter");
    }
    return await openDevice({ backend: "cpu" });
  } catch (error) {
    const isHidden = error instanceof NoWebGpuError && error.reason === "no-gpu-api" && !isSecure;
    if (isHidden) refuse("GPU-1b", "Browsers hide WebGPU on a page over plain http.");
    throw error;
  }
}
