/** Our matmul against the tensor runtime's own, on one device, in alternating runs. */
import { createRandom } from "../src/engine/data/random.ts";
import { matmul } from "../src/engine/kernels/matmul/matmul.ts";
import type { MatmulForm } from "../src/engine/kernels/matmul/matmul.wgsl.ts";
import { openDevice, type Device } from "../src/engine/tensor/device.ts";
import { dispose, read, tensor } from "../src/engine/tensor/run.ts";
import type { Tensor } from "../src/engine/tensor/tfjs.ts";
import { stockMatmul, stockProgramType } from "./stock.ts";

/** Alternating runs of each side; the fastest of each counts. */
const RUNS = 5;
/** Work per run, enough to outweigh what one submit costs. */
const MULTIPLICATIONS_PER_RUN = 20e6;
const TOLERANCE = 1e-3;

interface MatmulCase {
  readonly name: string;
  readonly form: MatmulForm;
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

const cases: readonly MatmulCase[] = [
  { name: "gate, embedded model", form: "abt", a: [512, 96], b: [256, 96] },
  { name: "down, embedded model", form: "abt", a: [512, 256], b: [96, 256] },
  { name: "input gradient of down", form: "ab", a: [512, 96], b: [96, 256] },
  { name: "weight gradient of gate", form: "atb", a: [512, 256], b: [512, 96] },
  { name: "gate at hidden 576", form: "abt", a: [32, 576], b: [1536, 576] },
];

/** How many times as long the stock kernel takes. */
export interface MatmulRatio {
  readonly name: string;
  readonly form: MatmulForm;
  readonly shape: string;
  readonly ratio: number;
}

/** Ratios of all shapes; throws when the two sides do not agree on the product. */
export async function measureMatmuls(): Promise<{ programType: number; ratios: MatmulRatio[] }> {
  const device = await openDevice({ backend: "webgpu" });
  try {
    const ratios: MatmulRatio[] = [];
    for (const each of cases) ratios.push(await measureCase(device, each));
    return { programType: stockProgramType(), ratios };
  } finally {
    device.close();
  }
}

async function measureCase(device: Device, { name, form, a, b }: MatmulCase): Promise<MatmulRatio> {
  const random = createRandom(1);
  const filled = (shape: readonly [number, number]) =>
    tensor(
      Float32Array.from({ length: shape[0] * shape[1] }, () => random.gaussian()),
      shape,
    );
  const [left, right] = [filled(a), filled(b)];
  const own = () => matmul(left, right, { form });
  const stock = () => stockMatmul(left, right, form);
  await checkEqual(own(), stock(), name);
  const inner = form === "atb" ? a[0] : a[1];
  const columns = form === "abt" ? b[0] : b[1];
  const outputRows = form === "atb" ? a[1] : a[0];
  const repeats = Math.ceil(MULTIPLICATIONS_PER_RUN / (inner * columns * outputRows));
  let [ownMs, stockMs] = [Infinity, Infinity];
  for (let run = 0; run < RUNS; run++) {
    ownMs = Math.min(ownMs, await timeRun(device, own, repeats));
    stockMs = Math.min(stockMs, await timeRun(device, stock, repeats));
  }
  dispose([left, right]);
  return { name, form, shape: `${a.join("×")} and ${b.join("×")}`, ratio: stockMs / ownMs };
}

async function checkEqual(own: Tensor, stock: Tensor, name: string): Promise<void> {
  const [actual, expected] = [await read(own), await read(stock)];
  const isNear = actual.every((value, index) => Math.abs(value - (expected[index] ?? NaN)) < TOLERANCE);
  if (!isNear || actual.length !== expected.length) throw new Error(`${name}: the products differ.`);
  dispose([own, stock]);
}

async function timeRun(device: Device, work: () => Tensor, repeats: number): Promise<number> {
  await device.settled();
  const startMs = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) dispose(work());
  await device.settled();
  return performance.now() - startMs;
}
