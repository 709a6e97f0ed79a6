import { beforeAll, describe, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import type { Device } from "./device.ts";
import {
  activeBackend,
  copy,
  dispose,
  memory,
  read,
  reshape,
  run,
  tensor,
  tidy,
  trimMemory,
  write,
  zeros,
} from "./run.ts";
import { compare, openTestDevice, parity, randomValues } from "./testing.ts";
import { addInPlaceOp, squareOp } from "./testOps.ts";
import type { Tensor } from "./tfjs.ts";
import { vjp } from "./vjp.ts";

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

function add(a: Tensor, b: Tensor): Tensor {
  return run(accumulateOp, [a, b], {})[0]!;
}

describe("run on WebGPU", () => {
  it("agrees with the oracle at odd sizes and beyond 65,535 workgroups", async () => {
    for (const n of [1, 3, 65, 65_535 * 64 + 65]) {
      const inputs = [1, 2].map((seed) => ({ values: new Float32Array(n).fill(seed), shape: [n] }));
      inputs[0]!.values.set(randomValues(3, [Math.min(n, 100)]), Math.max(0, n - 100));
      await parity(accumulateOp, { name: `${n} elements`, inputs, attrs: {}, tolerance: 1e-7 });
    }
  });

  it("agrees with several outputs, integers and inputs changed in place", async () => {
    const x = { values: randomValues(1, [3, 37]), shape: [3, 37] };
    await parity(squareOp, { name: "[3, 37]", inputs: [x], attrs: { scale: -0.5 } });
    const words = { values: Uint32Array.from({ length: 111 }, (_, i) => i * 40_000_003), shape: [111] };
    await parity(addInPlaceOp, { name: "in place", inputs: [x, x, words], attrs: { step: 0.25 } });
  });

  it("records dispatches and submits them in groups", async () => {
    device.setDispatchesPerSubmit(4);
    await read(tensor([0], [1]));
    const before = device.counters();
    const y = tidy(() => Array.from({ length: 10 }).reduce<Tensor>((sum) => add(sum, sum), tensor([1], [1])));
    const after = device.counters();
    expect(after.dispatches - before.dispatches).toBe(10);
    expect(after.submits - before.submits).toBe(2);
    expect(await read(y)).toEqual(new Float32Array([1024]));
    device.setDispatchesPerSubmit(64);
  });

  it("fills the uniform ring more often than it has slots", async () => {
    device.setDispatchesPerSubmit(1e9);
    const before = device.counters();
    const sum = zeros([1]);
    const one = tensor([1], [1]);
    const words = tensor(new Int32Array(1), [1]);
    let expected = 0;
    for (let i = 1; i <= 5000; i++) {
      dispose(run(addInPlaceOp, [sum, one, words], { step: i % 7 }));
      expected += i % 7;
    }
    expect(device.counters().submits - before.submits).toBe(1);
    expect(await read(sum)).toEqual(new Float32Array([expected]));
    device.setDispatchesPerSubmit(64);
  });

  it("refuses a tensor that is written and bound a second time", () => {
    const x = tensor([1], [1]);
    const words = tensor(new Int32Array(1), [1]);
    expect(() => run(addInPlaceOp, [x, x, words], { step: 1 })).toThrow("bound a second time");
  });

  it("differentiates on the tape", async () => {
    const [x, dy] = [tensor([1, -2, 3], [3]), tensor([1, 10, 100], [3])];
    const before = memory();
    const [dx] = vjp(() => run(squareOp, [run(squareOp, [x], { scale: 1 })[0]!], { scale: 1 })[0]!, [x], dy);
    expect(await read(dx!)).toEqual(new Float32Array([4, -320, 10_800]));
    dx!.dispose();
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numBytesInGpu).toBe(before.numBytesInGpu);
  });
});

describe("tensors on WebGPU", () => {
  it("reads the new contents of a tensor that was read before and changed in place since", async () => {
    const changed = tensor([1], [1]);
    const words = tensor(new Int32Array(1), [1]);
    expect(await read(changed)).toEqual(new Float32Array([1]));
    // The runtime's own read keeps a host copy, which must not survive the change.
    await changed.data();
    run(addInPlaceOp, [changed, tensor([5], [1]), words], { step: 1 });
    expect(await read(changed)).toEqual(new Float32Array([6]));
    expect(await changed.data()).toEqual(new Float32Array([6]));
  });

  it("orders writes, clears and copies with dispatches", async () => {
    const x = tensor([1, 2], [2]);
    const before = add(x, x);
    const second = copy(x);
    write(x, [10, 20]);
    const after = add(x, second);
    const cleared = zeros([2]);
    write(cleared, [7, 8]);
    expect(await Promise.all([before, after, second, cleared].map(read))).toEqual(
      [
        [2, 4],
        [11, 22],
        [1, 2],
        [7, 8],
      ].map((values) => new Float32Array(values)),
    );
  });

  it("gives zeros although freed buffers hold other values", async () => {
    const used = tensor([1, 2, 3], [3]);
    await read(used);
    dispose(used);
    expect(await read(zeros([3]))).toEqual(new Float32Array(3));
    expect(await read(zeros([2], "int32"))).toEqual(new Int32Array(2));
  });

  it("uses freed buffers at once, without a submit", async () => {
    await read(tensor([0], [1]));
    const shape = [70_000];
    let y = tensor(randomValues(5, shape), shape);
    const [first] = [add(y, y)];
    const before = { ...memory(), submits: device.counters().submits };
    for (let index = 0; index < 20; index++) {
      const next = add(y, first);
      dispose(y);
      y = next;
    }
    const one = memory().numBytesAllocatedInGpu - before.numBytesAllocatedInGpu;
    expect(one).toBeLessThan(2 * 4 * 70_000);
    expect(device.counters().submits).toBe(before.submits);
    const expected = randomValues(5, shape).map((value) => 41 * value);
    compare(await read(y), expected, { label: "chain", tolerance: 1e-5 });
    dispose([y, first]);
  });

  it("does not let a write overtake commands that use the same buffer for a freed tensor", async () => {
    const shape = [90_000];
    const x = tensor(new Float32Array(90_000).fill(3), shape);
    await read(x);
    const y = add(x, x);
    const allocated = memory().numBytesAllocatedInGpu;
    dispose(x);
    const later = tensor(new Float32Array(90_000).fill(100), shape);
    expect(memory().numBytesAllocatedInGpu).toBe(allocated);
    expect((await read(y))[89_999]).toBe(6);
    expect((await read(later))[0]).toBe(100);
    dispose([y, later]);
  });

  it("shares contents between shapes", async () => {
    const flat = tensor([1, 2, 3, 4], [4]);
    const square = reshape(flat, [2, 2]);
    dispose(flat);
    expect(await read(add(square, square))).toEqual(new Float32Array([2, 4, 6, 8]));
  });

  it("does not grow over 200 runs", async () => {
    const x = tensor(randomValues(1, [1000]), [1000]);
    const chain = (): Tensor => {
      const [y] = run(squareOp, [run(squareOp, [x], { scale: 0.5 })[0]!], { scale: 1 });
      return y!;
    };
    const step = async (): Promise<object> => {
      const [dx] = vjp(chain, [x], x);
      await read(dx!);
      dispose(dx!);
      const { pipelines, bindGroups, bindGroupsHeld } = device.counters();
      return { ...memory(), pipelines, bindGroups, bindGroupsHeld };
    };
    for (let warmUp = 0; warmUp < 3; warmUp++) await step();
    const settled = await step();
    for (let index = 0; index < 196; index++) await step();
    expect(await step()).toEqual(settled);
  });

  it("belongs to one backend", async () => {
    const x = tensor([1], [1]);
    const cpu = await openTestDevice("cpu");
    expect(() => run(accumulateOp, [x, x], {})).toThrow("of another backend");
    cpu.close();
    device.activate();
    expect(activeBackend().holds(x.dataId)).toBe(true);
  });
});

it("gives back the buffers of freed tensors, large and small, and goes on", async () => {
  const sizes = [10, 3000, 300_001, 2 ** 19];
  const values = sizes.map((size) => tensor(new Float32Array(size).fill(1), [size]));
  const kept = tensor([1, 2, 3], [3]);
  dispose(values);
  trimMemory();
  expect(memory().numBytesAllocatedInGpu).toBe(memory().numBytesInGpu);
  const again = zeros([300_001]);
  expect(await read(kept)).toEqual(Float32Array.of(1, 2, 3));
  dispose([again, kept]);
});
