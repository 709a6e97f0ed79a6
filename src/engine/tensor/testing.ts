/** Test harness of operations: parity of the two backends, and gradients against finite differences. */
import { allocateOutputs } from "./cpu.ts";
import type { Device } from "./device.ts";
import { openDevice } from "./device.ts";
import { memory, read, run, tensor, tidy } from "./run.ts";
import type { Binding, Floats, Op, Shape, Values } from "./op.ts";
import { isInteger, sizeOf } from "./shader.ts";
import type { Tensor } from "./tfjs.ts";
import { valueAndVjp } from "./vjp.ts";

const open = new Map<string, Promise<Device>>();

/** Opens the device of a test file once, and makes it the active one. */
export async function openTestDevice(backend: "webgpu" | "cpu" = "webgpu"): Promise<Device> {
  const opening = open.get(backend) ?? openDevice({ backend });
  open.set(backend, opening);
  const device = await opening;
  device.activate();
  return device;
}

/** Closes a test device, so that the next `openTestDevice` opens a fresh one. */
export async function closeTestDevice(backend: "webgpu" | "cpu" = "webgpu"): Promise<void> {
  const opening = open.get(backend);
  open.delete(backend);
  (await opening)?.close();
}

/** Throws when the device has reported an error since the last call; run after every GPU test. */
export async function failOnDeviceErrors(): Promise<void> {
  const device = await open.get("webgpu");
  if (device === undefined) return;
  await device.settled();
  // Errors outside of dispatches come as events, which run as tasks of their own.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const errors = device.takeErrors();
  if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join("\n"));
}

/** Numbers in [0, 1) that depend only on the seed. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Normally distributed values with standard deviation `scale` that depend only on the seed and the shape. */
export function randomValues(seed: number, shape: Shape, scale = 1): Float32Array {
  const random = randomSource(seed);
  return Float32Array.from({ length: sizeOf(shape) }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return scale * radius * Math.cos(2 * Math.PI * random());
  });
}

/** Contents and shape of one input. */
export interface TestInput {
  readonly values: Values | Uint32Array | readonly number[];
  readonly shape: Shape;
}

/** One parity case. */
export interface ParityCase<A extends object> {
  readonly name: string;
  readonly inputs: readonly TestInput[];
  readonly attrs: A;
  /** Largest difference allowed, as a fraction of the largest magnitude of the expected array. */
  readonly tolerance?: number;
}

/**
 * Runs an operation on WebGPU and through its oracle and compares all outputs and all changed inputs; integers must be
 * equal. Throws with the place and both values of the worst difference.
 */
export async function parity<A extends object>(op: Op<A>, testCase: ParityCase<A>): Promise<void> {
  const device = await openTestDevice("webgpu");
  const { attrs, name, tolerance = 1e-4 } = testCase;
  const bindings = op.inputs(attrs);
  const expected = expectedOf(op, testCase);
  const inputs = testCase.inputs.map(({ values, shape }, index) =>
    tensor(toBound(values, bindings[index]), shape),
  );
  await poisonPool(expected.outputs);
  const before = device.counters().dispatches;
  const outputs = run(op, inputs, attrs);
  if (device.counters().dispatches === before) throw new Error(`${op.name}: nothing was dispatched`);
  const outputBindings = op.outputs(attrs);
  for (const [index, output] of outputs.entries()) {
    const label = `${op.name} (${name}), output ${outputBindings[index]?.name ?? index}`;
    compare(await read(output), expected.outputs[index], { label, tolerance });
  }
  for (const [index, input] of inputs.entries()) {
    if (bindings[index]?.isMutable !== true) continue;
    const label = `${op.name} (${name}), input ${bindings[index].name} after the run`;
    compare(await read(input), expected.inputs[index], { label, tolerance });
  }
  for (const each of [...inputs, ...outputs]) each.dispose();
}

function expectedOf<A extends object>(
  op: Op<A>,
  { inputs, attrs }: ParityCase<A>,
): { inputs: Values[]; outputs: (Float32Array | Int32Array)[] } {
  const bindings = op.inputs(attrs);
  if (bindings.length !== inputs.length) throw new Error(`${op.name} takes ${bindings.length} inputs`);
  const shapes = inputs.map(({ shape }) => shape);
  const arrays = inputs.map(({ values }, index) => toBound(values, bindings[index]));
  const outputs = allocateOutputs(op, op.outputShapes(shapes, attrs), attrs);
  op.cpu(arrays, outputs as readonly Values[] as readonly Floats[], shapes, attrs);
  return { inputs: arrays, outputs };
}

/** Fills free buffers of the outputs' sizes with NaN, so that an element nobody writes is seen. */
async function poisonPool(outputs: readonly Values[]): Promise<void> {
  const poison = outputs.map(({ length }) => tensor(new Float32Array(length).fill(Number.NaN), [length]));
  for (const each of poison) {
    await read(each);
    each.dispose();
  }
}

function toBound(values: TestInput["values"], binding: Binding | undefined): Float32Array | Int32Array {
  if (binding === undefined) throw new Error("more inputs than bindings");
  if (!isInteger(binding)) return Float32Array.from(values);
  return values instanceof Uint32Array ? new Int32Array(values.slice().buffer) : Int32Array.from(values);
}

/** Throws unless `actual` equals `expected` within a fraction of the largest expected magnitude. */
export function compare(
  actual: Values,
  expected: Values | undefined,
  { label, tolerance }: { label: string; tolerance: number },
): void {
  if (expected === undefined || actual.length !== expected.length) {
    throw new Error(`${label}: ${actual.length} values, expected ${expected?.length ?? 0}`);
  }
  const isExact = expected instanceof Int32Array;
  const allowed = isExact ? 0 : tolerance * largest(expected);
  let worst = { index: -1, difference: allowed };
  for (let index = 0; index < expected.length; index++) {
    const [a, e] = [actual[index] ?? Number.NaN, expected[index] ?? Number.NaN];
    if (Object.is(a, e) || a === e) continue;
    const difference = Math.abs(a - e);
    // A difference that is not a number is never allowed.
    if (!(difference <= worst.difference)) worst = { index, difference };
    if (Number.isNaN(difference)) break;
  }
  if (worst.index < 0) return;
  const [a, e] = [actual[worst.index], expected[worst.index]];
  throw new Error(`${label}: element ${worst.index} is ${a}, expected ${e} within ${allowed}`);
}

function largest(values: Values): number {
  let result = 0;
  for (const value of values) if (Number.isFinite(value)) result = Math.max(result, Math.abs(value));
  return result;
}

/** One gradient case. */
export interface GradientCase<A extends object> {
  readonly inputs: readonly TestInput[];
  readonly attrs: A;
  /** Outputs that are differentiated; all by default. */
  readonly outputs?: readonly number[];
  /** Names of the inputs whose gradients are checked; every element is. */
  readonly wrt: readonly string[];
}

/**
 * Checks an operation's gradient against central differences: a random linear functional of the outputs, differences
 * in float64 over the oracle, the gradient in float32 on the cpu backend through the tape. Allows 1e-3 of the largest
 * magnitude of each gradient array.
 */
export async function checkGradient<A extends object>(op: Op<A>, testCase: GradientCase<A>): Promise<void> {
  await openTestDevice("cpu");
  const { inputs, attrs, wrt } = testCase;
  const names = op.inputs(attrs).map(({ name }) => name);
  const places = wrt.map((name) => {
    if (!names.includes(name)) throw new Error(`${op.name} has no input ${name}`);
    return names.indexOf(name);
  });
  const outputShapes = op.outputShapes(
    inputs.map(({ shape }) => shape),
    attrs,
  );
  const selected = new Set(testCase.outputs ?? outputShapes.keys());
  const weights = outputShapes.map((shape, index) =>
    selected.has(index) ? randomValues(1000 + index, shape) : undefined,
  );
  const before = memory().numTensors;
  const gradients = await tapeGradients(op, testCase, { places, weights });
  const leaked = memory().numTensors - before;
  if (leaked !== 0) throw new Error(`${op.name}: the gradient leaves ${leaked} tensors behind`);
  for (const [index, place] of places.entries()) {
    const expected = centralDifferences(op, testCase, { place, weights });
    const label = `${op.name}, gradient of ${wrt[index] ?? ""}`;
    const actual = gradients[index] ?? new Float32Array();
    // Differences of a gradient that is zero everywhere are rounding noise, not a scale.
    if (largest(expected) < 1e-7 && largest(actual) < 1e-7) continue;
    compare(actual, expected, { label, tolerance: 1e-3 });
  }
}

interface GradientSetup {
  readonly places: readonly number[];
  readonly weights: readonly (Float32Array | undefined)[];
}

async function tapeGradients<A extends object>(
  op: Op<A>,
  { inputs, attrs }: GradientCase<A>,
  { places, weights }: GradientSetup,
): Promise<Values[]> {
  const bindings = op.inputs(attrs);
  const gradients = tidy(() => {
    const tensors = inputs.map(({ values, shape }, index) => tensor(toBound(values, bindings[index]), shape));
    const xs = places.map((place) => tensors[place]).filter((each): each is Tensor => each !== undefined);
    const f = (): Tensor[] => run(op, tensors, attrs);
    const shapes = op.outputShapes(
      inputs.map(({ shape }) => shape),
      attrs,
    );
    const dys = weights.map((values, index) =>
      values === undefined ? undefined : tensor(values, shapes[index] ?? []),
    );
    return valueAndVjp(f, xs, dys).gradients;
  });
  const result = await Promise.all(gradients.map(read));
  for (const each of gradients) each.dispose();
  return result;
}

function centralDifferences<A extends object>(
  op: Op<A>,
  { inputs, attrs }: GradientCase<A>,
  { place, weights }: { place: number; weights: GradientSetup["weights"] },
): Float64Array {
  const bindings = op.inputs(attrs);
  const shapes = inputs.map(({ shape }) => shape);
  const sizes = op.outputShapes(shapes, attrs).map(sizeOf);
  // Rounded to float32 first, so that both sides start from the same point.
  const base = inputs.map(({ values }, index) => {
    const bound = toBound(values, bindings[index]);
    return bound instanceof Int32Array ? bound : Float64Array.from(bound);
  });
  const functional = (element: number, change: number): number => {
    const arrays = base.map((array) => array.slice());
    const varied = arrays[place];
    if (varied === undefined) throw new Error("no such input");
    varied[element] = (varied[element] ?? 0) + change;
    const outputs = sizes.map((size) => new Float64Array(size));
    op.cpu(arrays, outputs, shapes, attrs);
    return outputs.reduce((sum, output, index) => sum + dot(output, weights[index]), 0);
  };
  const point = base[place] ?? new Float64Array();
  return Float64Array.from({ length: point.length }, (_, element) => {
    const step = 1e-5 * Math.max(1, Math.abs(point[element] ?? 0));
    return (functional(element, step) - functional(element, -step)) / (2 * step);
  });
}

function dot(output: Floats, weights: Float32Array | undefined): number {
  if (weights === undefined) return 0;
  let sum = 0;
  for (let i = 0; i < output.length; i++) sum += (output[i] ?? 0) * (weights[i] ?? 0);
  return sum;
}
