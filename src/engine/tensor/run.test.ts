import { beforeAll, describe, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import { copy, dispose, memory, read, run, tensor, tidy, write, zeros } from "./run.ts";
import { openTestDevice } from "./testing.ts";

describe("tensors on the cpu backend", () => {
  beforeAll(() => openTestDevice("cpu"));

  it("runs an operation", async () => {
    const a = tensor([1, 2, 3], [3]);
    const [sum] = run(accumulateOp, [a, a], {});
    expect([...(await read(sum!))]).toEqual([2, 4, 6]);
    dispose([a, sum!]);
  });
});
