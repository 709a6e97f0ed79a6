import { beforeAll, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import { runBlock } from "./block.ts";
import type { Op } from "./op.ts";
import { memory, read, run, tensor, tidy } from "./run.ts";
import { openTestDevice } from "./testing.ts";
import { squareOp } from "./testOps.ts";
import type { Tensor } from "./tfjs.ts";
import { valueAndVjp, vjp } from "./vjp.ts";

beforeAll(() => openTestDevice("cpu"));

function square(x: Tensor): Tensor {
  return run(squareOp, [x], { scale: 1 })[0]!;
}

/** a + b with a gradient that passes dy on, and counts how often each is asked for. */
const calls = { a: 0, b: 0 };
const addOp: Op = {
  ...accumulateOp,
  name: "test.add",
  gradient: ([dy]) => ({
    a: () => {
      calls.a++;
      return dy!;
    },
    b: () => {
      calls.b++;
      return dy!;
    },
  }),
};

it("differentiates a chain and frees everything else", async () => {
  const [x, dy] = [tensor([1, -2, 3], [3]), tensor([1, 10, 100], [3])];
  const before = memory();
  const [dx] = vjp(() => square(square(x)), [x], dy);
  expect(memory().numTensors).toBe(before.numTensors + 1);
  expect(await read(dx!)).toEqual(new Float32Array([4, -320, 10_800]));
  expect(await read(dy)).toEqual(new Float32Array([1, 10, 100]));
  dx!.dispose();
  expect(memory()).toEqual(before);
});

it("adds up the gradients of a tensor that is used twice", async () => {
  const [x, dy] = [tensor([3], [1]), tensor([1], [1])];
  const before = memory().numTensors;
  const [dx] = vjp(() => run(addOp, [square(x), run(addOp, [x, x], {})[0]!], {})[0]!, [x], dy);
  expect(await read(dx!)).toEqual(new Float32Array([8]));
  dx!.dispose();
  expect(memory().numTensors).toBe(before);
});

it("never asks for the gradient of an input that is not wanted", async () => {
  const [a, b, dy] = [tensor([1], [1]), tensor([2], [1]), tensor([5], [1])];
  calls.a = 0;
  calls.b = 0;
  const [db] = vjp(() => run(addOp, [a, b], {})[0]!, [b], dy);
  expect(calls).toEqual({ a: 0, b: 1 });
  expect(await read(db!)).toEqual(new Float32Array([5]));
  db!.dispose();
  expect(await read(dy)).toEqual(new Float32Array([5]));
});

it("takes several outputs, and none for those that do not count", async () => {
  const x = tensor([3], [1]);
  const dys = [undefined, tensor([2], [1])];
  const { values, gradients } = valueAndVjp(() => run(squareOp, [x], { scale: 4 }), [x], dys);
  expect(await Promise.all(values.map(read))).toEqual([new Float32Array([36]), new Float32Array([12])]);
  expect(await read(gradients[0]!)).toEqual(new Float32Array([8]));
});

it("can be called inside a gradient", async () => {
  const before = memory().numTensors;
  const [x, dy] = [tensor([2], [1]), tensor([1], [1])];
  const recompute = (): Tensor =>
    runBlock([x], {
      forward: (save) => {
        save([x]);
        return [square(square(x))];
      },
      gradients: ([upstream], [saved]) => [() => vjp(() => square(square(saved!)), [saved!], upstream!)[0]!],
    })[0]!;
  const [dx] = vjp(() => square(recompute()), [x], dy);
  // d/dx x^8
  expect(await read(dx!)).toEqual(new Float32Array([8 * 2 ** 7]));
  for (const each of [x, dy, dx!]) each.dispose();
  expect(memory().numTensors).toBe(before);
});

it("says when no path leads to the result, and leaves nothing behind", () => {
  const [x, y, dy] = [tensor([2], [1]), tensor([2], [1]), tensor([1], [1])];
  const before = memory().numTensors;
  expect(() => vjp(() => square(x), [y], dy)).toThrow("no path");
  expect(() => vjp(() => run(accumulateOp, [x, square(x)], {})[0]!, [x], dy)).toThrow("has no gradient");
  const fails = (): Tensor => {
    square(x);
    throw new Error("stop");
  };
  expect(() => vjp(fails, [x], dy)).toThrow("stop");
  expect(memory().numTensors).toBe(before);
});

it("holds no more during a long backward than during a short one", () => {
  const [x, dy] = [
    tensor(new Float32Array(1000).fill(1), [1000]),
    tensor(new Float32Array(1000).fill(1), [1000]),
  ];
  const start = memory().numBytes;
  const peaks = [10, 20].map((depth) => {
    let peak = 0;
    tidy(() => {
      const f = (): Tensor => {
        let y = x;
        for (let layer = 0; layer < depth; layer++)
          y = chain(y, () => (peak = Math.max(peak, memory().numBytes)));
        return y;
      };
      vjp(f, [x], dy);
    });
    return (peak - start) / 4000;
  });
  expect(peaks[1]).toBe(peaks[0]);
  expect(peaks[0]).toBeGreaterThan(0);
});

function chain(x: Tensor, onGradient: () => void): Tensor {
  return runBlock([x], {
    forward: () => [square(x)],
    gradients: ([dy]) => [
      () => {
        onGradient();
        return dy!.clone();
      },
    ],
  })[0]!;
}
