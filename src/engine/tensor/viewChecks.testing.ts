/** What holds for views on either backend. */
import { expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import { ShapeError } from "./op.ts";
import { clear, copy, dispose, memory, read, reshape, run, tensor, view, write } from "./run.ts";
import { addInPlaceOp } from "./testOps.ts";
import type { Tensor } from "./tfjs.ts";

const SIZE = 200;
/** Elements between two places where a binding can begin. */
const ALIGNED = 64;

function counting(): Tensor {
  return tensor(
    Float32Array.from({ length: SIZE }, (_, index) => index),
    [SIZE],
  );
}

function add(a: Tensor, b: Tensor): Tensor {
  return run(accumulateOp, [a, b], {})[0]!;
}

/** The same checks run on whichever backend is active. */
export function checkViews(): void {
  it.each([0, 1, ALIGNED, ALIGNED + 3])(
    "shares contents with its source from element %i on",
    async (offset) => {
      const source = counting();
      const part = view(source, offset, [2, 3]);
      expect(part.shape).toEqual([2, 3]);
      expect(await read(part)).toEqual(Float32Array.from({ length: 6 }, (_, index) => offset + index));
      write(part, [9, 8, 7, 6, 5, 4]);
      expect((await read(source)).slice(offset, offset + 7)).toEqual(
        new Float32Array([9, 8, 7, 6, 5, 4, offset + 6]),
      );
      expect(await read(add(part, part))).toEqual(new Float32Array([18, 16, 14, 12, 10, 8]));
      const own = copy(part);
      clear(part);
      expect((await read(source)).slice(offset, offset + 7)).toEqual(
        new Float32Array([0, 0, 0, 0, 0, 0, offset + 6]),
      );
      expect(await read(own)).toEqual(new Float32Array([9, 8, 7, 6, 5, 4]));
    },
  );

  it("is a view of the whole when its source is one", async () => {
    const inner = view(view(counting(), 10, [50]), 20, [4]);
    expect(await read(reshape(inner, [2, 2]))).toEqual(new Float32Array([30, 31, 32, 33]));
  });

  it("is written by an operation where a binding can begin, and only there", async () => {
    const source = counting();
    const words = tensor(new Int32Array(2), [2]);
    // Written and read parts of one buffer lie apart.
    run(addInPlaceOp, [view(source, ALIGNED, [2]), view(source, 2, [2]), words], { step: 10 });
    expect((await read(source)).slice(ALIGNED - 1, ALIGNED + 3)).toEqual(new Float32Array([63, 84, 95, 66]));
    const unaligned = view(source, 1, [2]);
    expect(() => run(addInPlaceOp, [unaligned, tensor([1, 1], [2]), words], { step: 1 })).toThrow(ShapeError);
  });

  it("outlives the handle of its source, and leaves nothing behind", async () => {
    await read(tensor([0], [1]));
    const before = memory();
    const source = counting();
    const held = memory().numBytesInGpu;
    const [first, second] = [view(source, 3, [2]), view(source, 4, [2])];
    expect(memory().numBytesInGpu).toBe(held);
    dispose([source, first]);
    const other = tensor(new Float32Array(SIZE).fill(-1), [SIZE]);
    expect(await read(second)).toEqual(new Float32Array([4, 5]));
    dispose([second, other]);
    expect(memory().numTensors).toBe(before.numTensors);
    expect(memory().numBytes).toBe(before.numBytes);
    expect(memory().numBytesInGpu).toBe(before.numBytesInGpu);
  });

  it("lies inside its source", () => {
    const source = counting();
    for (const [offset, shape] of [
      [SIZE - 1, [2]],
      [-1, [2]],
      [0.5, [2]],
      [0, [0]],
    ] as const)
      expect(() => view(source, offset, shape)).toThrow(ShapeError);
    dispose(source);
    expect(() => view(source, 0, [1])).toThrow("disposed");
  });
}
