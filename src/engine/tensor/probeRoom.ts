/** How much more memory a device gives. */
import type { Device } from "./device.ts";

/** Bytes of one buffer that is asked for, where the device makes such large ones. */
const BUFFER_BYTES = 256 * 2 ** 20;
/** Below this, what is left makes no difference. */
const SMALLEST_BYTES = 16 * 2 ** 20;
/** `GPUBufferUsage.STORAGE`, which has no name where there is no WebGPU. */
const STORAGE = 0x80;
const GIGABYTE = 2 ** 30;
/** What a browser says of its machine's memory ends here; a machine of which nothing is known is taken for such a one. */
const USUAL_GIGABYTES = 8;

/**
 * How many of `bytes` the device gives beside what it holds: buffers are made under an error scope until one is refused,
 * then smaller ones, and all are freed. Drivers that promise more than they have are believed. On the cpu backend tensors
 * lie in the page's own memory, of which a browser says only how much its machine has, so half of that is the answer.
 */
export async function probeRoom({ gpuDevice, report }: Device, bytes: number): Promise<number> {
  if (gpuDevice === null) return Math.min(bytes, hostBytes() / 2);
  const made: GPUBuffer[] = [];
  let given = 0;
  let size = Math.min(BUFFER_BYTES, report.limits.maxBufferSize);
  while (given < bytes && size >= Math.min(SMALLEST_BYTES, bytes)) {
    const asked = Math.min(size, bytes - given);
    const buffer = await makeBuffer(gpuDevice, Math.ceil(asked / 4) * 4);
    if (buffer === null) {
      size /= 2;
      continue;
    }
    made.push(buffer);
    given += asked;
  }
  for (const buffer of made) buffer.destroy();
  return given;
}

/** A buffer; null where the device has no room for it. */
async function makeBuffer(device: GPUDevice, size: number): Promise<GPUBuffer | null> {
  device.pushErrorScope("out-of-memory");
  const buffer = device.createBuffer({ size, usage: STORAGE });
  const error = await device.popErrorScope();
  if (error === null) return buffer;
  buffer.destroy();
  return null;
}

function hostBytes(): number {
  const { navigator } = globalThis as { navigator?: { readonly deviceMemory?: number } };
  return (navigator?.deviceMemory ?? USUAL_GIGABYTES) * GIGABYTE;
}
