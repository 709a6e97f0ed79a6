/** What the trainer runs on, in the words of the capability chip and its report. */
import type { Device } from "../engine/tensor/device.ts";
import type { BackendReport, Commands } from "./protocol.ts";

/** Describes the open device, and why it is not WebGPU when it is not. */
export function reportBackend(
  { backend, report }: Device,
  { isSecure, injections, backend: wanted }: Commands["open"]["question"],
): BackendReport {
  const denied = injections.find(({ kind }) => kind === "no-gpu" || kind === "no-adapter");
  const missing =
    denied === undefined ? report.noWebGpu : denied.kind === "no-gpu" ? "no-gpu-api" : "no-adapter";
  const reason = missing === "no-gpu-api" && !isSecure ? "insecure-context" : missing;
  const adapter = [report.vendor, report.architecture].filter((word) => word !== "").join(" ");
  return {
    backend,
    label: backend === "cpu" ? "CPU" : adapter || report.description || "WebGPU",
    isSoftware: report.isFallbackAdapter,
    hasShaderF16: report.hasShaderF16,
    reason: wanted === "cpu" ? null : reason,
    maxBufferBytes: report.limits.maxStorageBufferBindingSize,
    details: {
      backend,
      vendor: report.vendor,
      architecture: report.architecture,
      description: report.description,
      features: report.features.join(", "),
      ...Object.fromEntries(Object.entries(report.limits).map(([name, limit]) => [name, String(limit)])),
    },
  };
}
