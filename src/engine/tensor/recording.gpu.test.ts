import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import type { Device } from "./device.ts";
import { GpuOutOfMemoryError } from "./errors.ts";
import { canRecord, createArena } from "./recording.ts";
import type { Arena } from "./recording.ts";
import { clear, copy, dispose, memory, read, run, tensor, tidy, view, write, zeros } from "./run.ts";
import { openTestDevice, randomValues } from "./testing.ts";
import { addInPlaceOp, squareOp } from "./testOps.ts";
import type { Tensor } from "./tfjs.ts";
import { vjp } from "./vjp.ts";

const SIZE = 1000;

let device: Device;
let arena: Arena;
beforeAll(async () => {
  device = await openTestDevice();
});
beforeEach(() => {
  arena = createArena();
});
afterEach(() => {
  vi.restoreAllMocks();
  arena.dispose();
});

function add(a: Tensor, b: Tensor): Tensor {
  return run(accumulateOp, [a, b], {})[0]!;
}

interface Inputs {
  readonly x: Tensor;
  readonly words: Tensor;
  /** Changed in place from one call to the next. */
  readonly state: Tensor;
}

function makeInputs(size = SIZE): Inputs {
  return {
    x: tensor(randomValues(1, [size]), [size]),
    words: tensor(new Int32Array(size).fill(3), [size]),
    state: tensor(randomValues(2, [size]), [size]),
  };
}

/** Something of everything: several outputs, the tape, changes in place, copies, clears and views. */
function work({ x, words, state }: Inputs): Tensor[] {
  return tidy(() => {
    const [square, scaled] = run(squareOp, [x], { scale: 0.5 });
    const [dx] = vjp(() => run(squareOp, [square!], { scale: 3 })[0]!, [square!], scaled!);
    const kept = copy(dx!);
    run(addInPlaceOp, [state, dx!, words], { step: 0.125 });
    clear(dx!);
    const empty = zeros(x.shape);
    run(addInPlaceOp, [view(empty, 64, [5]), view(kept, 3, [5]), view(words, 7, [5])], { step: 2 });
    let sum = add(empty, kept);
    for (let index = 0; index < 70; index++) {
      const next = add(sum, index % 2 === 0 ? state : dx!);
      dispose(sum);
      sum = next;
    }
    return [sum, kept];
  });
}

async function values(tensors: readonly Tensor[]): Promise<unknown[]> {
  return Promise.all(tensors.map(read));
}

/** Results of `calls` live calls on fresh inputs, which change before each. */
async function liveResults(calls: number): Promise<unknown[]> {
  const inputs = makeInputs();
  const results = [];
  for (let call = 0; call < calls; call++) {
    write(inputs.x, randomValues(10 + call, [SIZE]));
    const made = work(inputs);
    results.push(await values([...made, inputs.state]));
    dispose(made);
  }
  dispose(Object.values(inputs) as Tensor[]);
  return results;
}

describe("a recording", () => {
  it("gives at each replay what live runs give, whatever the pool is used for in between", async () => {
    const expected = await liveResults(4);
    const inputs = makeInputs();
    write(inputs.x, randomValues(10, [SIZE]));
    const recording = arena.record(() => work(inputs));
    const results = [await values([...recording.result, inputs.state])];
    for (let call = 1; call < 4; call++) {
      const others = Array.from({ length: call }, (_, index) => tensor(randomValues(index, [SIZE]), [SIZE]));
      dispose([...work({ ...makeInputs(), x: others[0]! }), ...others]);
      write(inputs.x, randomValues(10 + call, [SIZE]));
      recording.replay();
      results.push(await values([...recording.result, inputs.state]));
    }
    expect(results).toEqual(expected);
  });

  it("makes nothing when it is replayed, and writes no uniforms", async () => {
    const inputs = makeInputs();
    const recording = arena.record(() => work(inputs));
    await read(recording.result[0]!);
    const before = { ...memory(), ...device.counters() };
    const spies = [
      vi.spyOn(GPUDevice.prototype, "createBuffer"),
      vi.spyOn(GPUDevice.prototype, "createBindGroup"),
      vi.spyOn(GPUDevice.prototype, "createComputePipeline"),
      vi.spyOn(GPUQueue.prototype, "writeBuffer"),
    ];
    for (let call = 0; call < 20; call++) recording.replay();
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    const after = { ...memory(), ...device.counters() };
    const [dispatches, submits] = [after.dispatches - before.dispatches, after.submits - before.submits];
    expect(dispatches).toBeGreaterThan(20 * 74);
    expect(submits).toBeLessThanOrEqual(Math.ceil(dispatches / 64));
    expect({ ...after, dispatches: 0, submits: 0 }).toEqual({ ...before, dispatches: 0, submits: 0 });
    await read(recording.result[0]!);
  });

  it("uses the buffer of a freed tensor at once", async () => {
    const x = tensor(randomValues(3, [SIZE]), [SIZE]);
    const bytesOf = (count: number) => {
      const recording = arena.record(() => {
        let sum = add(x, x);
        for (let index = 1; index < count; index++) {
          const next = add(sum, x);
          dispose(sum);
          sum = next;
        }
        return sum;
      });
      recording.dispose();
      arena.reset();
      return arena.bytes;
    };
    const ofTwo = bytesOf(2);
    expect(ofTwo).toBe(2 * 4096);
    expect(bytesOf(50)).toBe(ofTwo);
  });

  it("keeps what earlier ones left until the arena is reset, also without handles", async () => {
    const x = tensor(randomValues(4, [SIZE]), [SIZE]);
    const first = arena.record(() => add(x, x));
    const doubled = await read(first.result);
    const second = arena.record(() => tidy(() => add(add(first.result, x), x)));
    expect(await read(first.result)).toEqual(doubled);
    const fourfold = await read(second.result);
    dispose(first.result);
    const bytes = arena.bytes;
    const third = arena.record(() => clear(zeros([SIZE])));
    expect(arena.bytes).toBeLessThanOrEqual(bytes + 4096 + 512);
    third.replay();
    second.replay();
    expect(await read(second.result)).toEqual(fourfold);
  });

  it("lets a later one free and use what an earlier one left", async () => {
    const x = tensor(randomValues(5, [SIZE]), [SIZE]);
    const forward = arena.record(() => add(x, x));
    const backward = arena.record(() => {
      const y = add(forward.result, x);
      dispose(forward.result);
      const z = add(y, x);
      dispose(y);
      return z;
    });
    const expected = await read(backward.result);
    forward.replay();
    backward.replay();
    expect(await read(backward.result)).toEqual(expected);
    expect(arena.bytes).toBeLessThan(3 * 4096);
  });

  it("of another shape shares the arena after a reset", async () => {
    const sizes = [SIZE, SIZE / 2, SIZE];
    const all = sizes.map((size) => {
      const inputs = makeInputs(size);
      const recording = arena.record(() => work(inputs));
      arena.reset();
      return { inputs, recording, bytes: arena.bytes };
    });
    const tensorBytes = all.map(({ bytes }, index) => bytes - (index + 1) * 256 * 76);
    expect(Math.max(...tensorBytes)).toBeLessThan(1.3 * tensorBytes[0]!);
    const reference = makeInputs(SIZE / 2);
    const expected = await values(work(reference));
    const { inputs, recording } = all[1]!;
    write(inputs.state, randomValues(2, [SIZE / 2]));
    all[0]!.recording.replay();
    recording.replay();
    expect(await values(recording.result)).toEqual(expected);
  });

  it("keeps alive what it uses from outside", async () => {
    await read(tensor([0], [1]));
    const before = memory();
    const x = tensor(randomValues(6, [SIZE]), [SIZE]);
    const expected = (await read(x)).map((value) => value + value);
    const recording = arena.record(() => add(x, x));
    dispose(x);
    const other = tensor(new Float32Array(SIZE), [SIZE]);
    recording.replay();
    expect(await read(recording.result)).toEqual(expected);
    dispose([other, recording.result]);
    arena.dispose();
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numBytesInGpu).toBe(before.numBytesInGpu);
    expect(() => recording.replay()).toThrow("disposed");
  });

  it("refuses what a replay could not repeat, and leaves the arena as it was", async () => {
    const x = tensor(randomValues(7, [SIZE]), [SIZE]);
    const good = arena.record(() => add(x, x));
    const bytes = arena.bytes;
    const refused: readonly (readonly [() => unknown, string])[] = [
      [() => [add(x, x), add(x, x), tensor([1], [1])], "values cannot come from the host"],
      [() => write(x, new Float32Array(SIZE)), "values cannot come from the host"],
      [async () => read(add(x, x)), "must not wait"],
      [() => arena.record(() => add(x, x)), "cannot be nested"],
      [() => good.replay(), "cannot be nested"],
      [() => zeros([device.report.limits.maxStorageBufferBindingSize / 4 + 1]), "this device binds at most"],
    ];
    for (const [bad, message] of refused) expect(() => arena.record(bad)).toThrow(message);
    expect(arena.bytes).toBe(bytes);
    good.replay();
    expect(await read(good.result)).toEqual((await read(x)).map((value) => 2 * value));
    await arena.settled();
  });

  it("for which there is no room is taken back as a whole", async () => {
    const x = tensor(randomValues(8, [SIZE]), [SIZE]);
    const small = arena.record(() => add(x, x));
    await arena.settled();
    const { bytes } = arena;
    const filters: GPUErrorFilter[] = [];
    vi.spyOn(GPUDevice.prototype, "pushErrorScope").mockImplementation((filter) => void filters.push(filter));
    vi.spyOn(GPUDevice.prototype, "popErrorScope").mockImplementation(() =>
      Promise.resolve(filters.pop() === "out-of-memory" ? new GPUOutOfMemoryError("no room") : null),
    );
    const large = arena.record(() => add(add(x, x), add(x, x)));
    vi.restoreAllMocks();
    expect(arena.bytes).toBeGreaterThan(bytes);
    await expect(arena.settled()).rejects.toBeInstanceOf(GpuOutOfMemoryError);
    expect(arena.bytes).toBe(bytes);
    expect(device.takeErrors()).toEqual([]);
    expect(() => large.replay()).toThrow("no room for it");
    small.replay();
    expect(await read(small.result)).toEqual((await read(x)).map((value) => 2 * value));
    await arena.settled();
  });

  it("is there on WebGPU only", async () => {
    expect(canRecord()).toBe(true);
    const cpu = await openTestDevice("cpu");
    expect(canRecord()).toBe(false);
    expect(() => createArena()).toThrow("cpu backend cannot record");
    cpu.close();
    device.activate();
  });
});
