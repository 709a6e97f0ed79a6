import { describe, it } from "vitest";
import { parity } from "../../tensor/testing.ts";
import { gradientInputs, poolInputs, type FeatureCase } from "./featureCase.testing.ts";
import { featurePoolOp } from "./featurePool.ts";
import { featurePoolGradientOp } from "./featurePoolGradient.ts";

const cases: readonly FeatureCase[] = [
  { rows: 1, inputSize: 1, width: 1, answers: [1], listed: 1 },
  { rows: 40, inputSize: 37, width: 131, answers: [33, 0, 5, 64], listed: 33 },
  { rows: 70, inputSize: 64, width: 2003, answers: [65, 7], listed: 100 },
  { rows: 5, inputSize: 2304, width: 70, answers: [3, 2], listed: 40 },
  { rows: 70_000, inputSize: 4, width: 5, answers: [300, 70_000], listed: 2 }, // more rows than one axis holds
];

describe.each([true, false])("pooled features on WebGPU, without barriers: %s", (isSerial) => {
  it.each(cases)("$rows rows of $inputSize, $width features", { timeout: 60_000 }, async (size) => {
    const attrs = { isVector: size.inputSize % 4 === 0, isSerial };
    await parity(featurePoolOp, { name: "pool", inputs: poolInputs(size), attrs });
    await parity(featurePoolGradientOp, { name: "gradient", inputs: gradientInputs(size), attrs });
  });
});
