/** Tells adapters that compute on the processor from real ones. */

const SOFTWARE_ARCHITECTURES = ["swiftshader", "llvmpipe"];

/** Whether an adapter computes on the processor. */
export function isSoftwareAdapter({ isFallbackAdapter, architecture }: GPUAdapterInfo): boolean {
  return isFallbackAdapter || SOFTWARE_ARCHITECTURES.includes(architecture.toLowerCase());
}
