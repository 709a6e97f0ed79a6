import { beforeAll, describe, expect, it } from "vitest";
import { accumulateOp } from "./accumulate.ts";
import { openTestDevice, parity, randomValues } from "./testing.ts";

describe("run on WebGPU", () => {
  it("agrees with the oracle", async () => {
    const device = await openTestDevice();
    console.log(JSON.stringify(device.report));
    for (const n of [1, 3, 65]) {
    await parity(accumulateOp, {name: "s", inputs: [{values: randomValues(1,[n]), shape:[n]},{values: randomValues(2,[n]), shape:[n]}], attrs: {}});
    }
  });
});
