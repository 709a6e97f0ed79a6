import { beforeAll, describe, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import { ShapeError } from "./op.ts";
import { backendName, copy, dispose, memory, read, reshape, run, tensor, tidy, write, zeros } from "./run.ts";
import { openTestDevice } from "./testing.ts";
import { addInPlaceOp } from "./testOps.ts";

beforeAll(() => openTestDevice("cpu"));

describe("run on the cpu backend", () => {
  it("gives the oracle's result", async () => {
    const [y] = run(accumulateOp, [tensor([1, 2, 3], [3]), tensor([10, 20, 30], [3])], {});
    expect(backendName()).toBe("cpu");
    expect(await read(y!)).toEqual(new Float32Array([11, 22, 33]));
  });

  it("changes a mutable input in place and keeps unsigned bits", async () => {
    const changed = tensor([1, 2], [2]);
    const words = tensor(new Uint32Array([0x40000001, 3]), [2]);
    const [doubled] = run(addInPlaceOp, [changed, tensor([4, 8], [2]), words], { step: 0.5 });
    expect(await read(changed)).toEqual(new Float32Array([3, 6]));
    expect(new Uint32Array((await read(doubled!)).buffer)).toEqual(new Uint32Array([0x80000002, 6]));
  });

  it("refuses inputs that do not fit", () => {
    const two = tensor([1, 2], [2]);
    expect(() => run(accumulateOp, [two], {})).toThrow(ShapeError);
    expect(() => run(accumulateOp, [two, tensor([1], [1])], {})).toThrow(ShapeError);
    expect(() => run(accumulateOp, [two, tensor(new Int32Array(2), [2])], {})).toThrow("holds int32");
    expect(() => run(accumulateOp, [tensor([], [0]), tensor([], [0])], {})).toThrow("empty");
    const gone = tensor([1, 2], [2]);
    dispose(gone);
    expect(() => run(accumulateOp, [gone, two], {})).toThrow("disposed");
  });

  it("refuses a second operation of the same name", () => {
    run(accumulateOp, [tensor([1], [1]), tensor([1], [1])], {});
    expect(() => run({ ...accumulateOp }, [tensor([1], [1]), tensor([1], [1])], {})).toThrow(
      "two operations",
    );
  });
});

describe("tensors on the cpu backend", () => {
  it("copies what it is given", async () => {
    const values = new Float32Array([1, 2]);
    const made = tensor(values, [2]);
    const second = copy(made);
    values[0] = 9;
    write(made, [5, 6]);
    expect(await read(made)).toEqual(new Float32Array([5, 6]));
    expect(await read(second)).toEqual(new Float32Array([1, 2]));
    (await read(made))[0] = 7;
    expect(await read(made)).toEqual(new Float32Array([5, 6]));
  });

  it("refuses values that do not fill a shape", () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(ShapeError);
    expect(() => write(zeros([2]), [1])).toThrow(ShapeError);
    expect(() => write(zeros([2]), new Int32Array(2))).toThrow(ShapeError);
    expect(() => reshape(zeros([2]), [3])).toThrow(ShapeError);
  });

  it("shares contents between shapes until both handles are freed", async () => {
    const flat = tensor([1, 2, 3, 4], [4]);
    const square = reshape(flat, [2, 2]);
    dispose(flat);
    write(square, [4, 3, 2, 1]);
    expect(await read(square)).toEqual(new Float32Array([4, 3, 2, 1]));
    expect(square.shape).toEqual([2, 2]);
  });

  it("frees what a tidy does not return, also when it throws", () => {
    const before = memory().numTensors;
    const kept = tidy(() => {
      zeros([2]);
      return { inside: [zeros([3], "int32")] };
    });
    expect(memory().numTensors).toBe(before + 1);
    expect(() => tidy(() => run(accumulateOp, [zeros([2])], {}))).toThrow(ShapeError);
    dispose(kept.inside);
    expect(memory().numTensors).toBe(before);
  });

  it("lets other tasks run while it is read from without pause", async () => {
    const x = tensor([1], [1]);
    let beats = 0;
    const heart = setInterval(() => (beats += 1), 1);
    const endMs = performance.now() + 250;
    while (performance.now() < endMs) await read(x);
    clearInterval(heart);
    expect(beats).toBeGreaterThan(0);
  });
});
