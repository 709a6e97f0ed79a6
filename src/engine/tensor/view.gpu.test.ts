import { beforeAll, describe, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import type { Device } from "./device.ts";
import { dispose, read, run, tensor, view } from "./run.ts";
import { openTestDevice } from "./testing.ts";
import { addInPlaceOp } from "./testOps.ts";
import { checkViews } from "./viewChecks.testing.ts";

let device: Device;
beforeAll(async () => {
  device = await openTestDevice();
});

describe("a view on WebGPU", () => {
  checkViews();

  it("has a bind group of its own for each place, which is made once", async () => {
    const source = tensor(new Float32Array(256), [256]);
    const sumAt = (offset: number) => {
      const part = view(source, offset, [4]);
      dispose([...run(accumulateOp, [part, part], {}), part]);
    };
    for (const offset of [0, 64, 128]) sumAt(offset);
    const before = device.counters().bindGroups;
    for (const offset of [0, 64, 128]) sumAt(offset);
    expect(device.counters().bindGroups).toBe(before);
    sumAt(192);
    expect(device.counters().bindGroups).toBe(before + 1);
    await read(source);
  });

  it("is refused beside the written part it overlaps", () => {
    const source = tensor(new Float32Array(256), [256]);
    const words = tensor(new Int32Array(1), [1]);
    for (const other of [view(source, 64, [64]), view(source, 3, [64]), source]) {
      const change = () => run(addInPlaceOp, [view(source, 64, [64]), other, words], { step: 1 });
      expect(change).toThrow("bound a second time");
    }
  });
});
