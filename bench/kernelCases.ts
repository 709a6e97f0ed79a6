/** Our kernels against the same result composed of stock operations, on one device and in turn. */
import { openDevice, type Device } from "../src/engine/tensor/device.ts";
import { dispose, memory, read, tensor } from "../src/engine/tensor/run.ts";
import type { Tensor } from "../src/engine/tensor/tfjs.ts";
import { difference, gpuCounts, startGpuCounters, storageBuffers } from "./gpuCounters.ts";
import { attentionKernels } from "./kernels/attentionKernels.ts";
import { decoderKernels } from "./kernels/decoderKernels.ts";
import type { KernelCase, Outputs } from "./kernels/kernelCase.ts";
import { matmulKernels } from "./kernels/matmulKernels.ts";
import { alternate, type Work } from "./rounds.ts";
import { emptyRow, gigaflopsOf, type Row, type SideCounts } from "./row.ts";

/** Every kernel that is measured. */
export const kernelCases: readonly KernelCase[] = [...matmulKernels, ...decoderKernels, ...attentionKernels];

const ROUNDS = 7;
/** Calls of a kernel at least: both sides in every round, once before, and once each to compare and to count. */
export const leastCalls = 2 * (ROUNDS + 3);
/** Work per round, enough to outweigh what one submit costs. */
const FLOPS_PER_ROUND = 40e6;
const MOST_REPEATS = 50;
/** As a fraction of the largest value. */
const TOLERANCE = 1e-3;

/** Throws when the two sides do not agree. */
export async function measureKernel({
  name,
  shape,
  flops,
  isMatmul = false,
  open,
}: KernelCase): Promise<Row> {
  startGpuCounters();
  const device = await openDevice({ backend: "webgpu" });
  const kept: Tensor[] = [];
  try {
    const stock = { ...(await import("./stock/stockKernels.ts")), ...(await import("./stock/stockRows.ts")) };
    const keep = (made: Tensor): Tensor => {
      kept.push(made);
      return made;
    };
    const { own, tfjs } = open({ tensor: (values, sizes) => keep(tensor(values, sizes)), keep, stock });
    await checkEqual(own(), tfjs());
    const repeats = Math.min(MOST_REPEATS, Math.ceil(FLOPS_PER_ROUND / flops));
    const working =
      (call: () => Outputs): Work =>
      async () => {
        for (let repeat = 0; repeat < repeats; repeat++) dispose(call());
        await device.settled();
      };
    const sides = { own: working(own), tfjs: working(tfjs) };
    // Once more, so that both have their buffers and pipelines.
    await sides.own();
    await sides.tfjs();
    const counts = {
      own: await count(own, device),
      tfjs: await count(tfjs, device),
      jax: null,
    };
    const tensorsBefore = memory().numTensors;
    const { medianMs, ratio } = await alternate(sides, { rounds: ROUNDS });
    const perCall = (ms: number | null) => (ms === null ? null : ms / repeats);
    const ownMs = perCall(medianMs.own);
    return {
      ...emptyRow(name, shape),
      medianMs: { own: ownMs, tfjs: perCall(medianMs.tfjs), jax: null },
      ratio,
      gigaflops: isMatmul ? gigaflopsOf(flops, ownMs) : null,
      counts,
      tensorGrowth: memory().numTensors - tensorsBefore,
    };
  } finally {
    dispose(kept);
    device.close();
  }
}

async function count(call: () => Outputs, device: Device): Promise<SideCounts> {
  await device.settled();
  const before = gpuCounts();
  const startMs = performance.now();
  const outputs = call();
  const jsMilliseconds = performance.now() - startMs;
  await device.settled();
  const { waitedMs: _waited, ...asked } = difference(gpuCounts(), before);
  dispose(outputs);
  // Both sides share the device, so the peak is not one side's.
  return { ...asked, peakBytes: storageBuffers(device.gpuDevice).peakBytes, jsMilliseconds };
}

async function checkEqual(own: Outputs, stock: Outputs): Promise<void> {
  if (own.length !== stock.length) throw new Error(`${own.length} and ${stock.length} results.`);
  for (const [index, output] of own.entries()) {
    const ours = Float64Array.from(await read(output));
    const theirs = await read(stock[index]!);
    const largest = ours.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = ours.reduce((most, value, at) => Math.max(most, Math.abs(value - (theirs[at] ?? NaN))), 0);
    // One token is not another, however close their ids.
    const allowed = output.dtype === "int32" ? 0 : TOLERANCE * largest;
    if (ours.length !== theirs.length || !(worst <= allowed)) {
      throw new Error(`Result ${index} differs by ${worst} of ${largest}.`);
    }
  }
  dispose([...own, ...stock]);
}
