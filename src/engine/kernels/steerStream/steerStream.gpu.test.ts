import { describe, it } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { steerStreamOp } from "./steerStream.ts";

const sizes = [
  { rows: 1, inputSize: 1, width: 1 },
  { rows: 67, inputSize: 37, width: 131 },
  { rows: 5, inputSize: 2304, width: 9 },
  { rows: 70_000, inputSize: 4, width: 5 }, // more rows than one axis holds
];

describe.each([true, false])("steering on WebGPU, without barriers: %s", (isSerial) => {
  it.each(sizes)("$rows rows of $inputSize, $width features", async ({ rows, inputSize, width }) => {
    const input = (seed: number, shape: number[]) => ({ values: randomValues(seed, shape), shape });
    const tokenIds = { values: Int32Array.from({ length: rows }, (_, row) => row % 3), shape: [rows] };
    const given = [input(1, [rows, inputSize]), tokenIds, input(2, [width, inputSize])];
    const encoder = [input(3, [width, inputSize]), input(4, [width]), input(5, [width])];
    const attrs = {
      feature: width - 1,
      value: 2.5,
      skippedToken: 2,
      isVector: inputSize % 4 === 0,
      isSerial,
    };
    await parity(steerStreamOp, { name: "add", inputs: given, attrs: { ...attrs, mode: "add" } });
    const inputs = [...given, ...encoder];
    await parity(steerStreamOp, { name: "clamp", inputs, attrs: { ...attrs, mode: "clamp" } });
  });
});
