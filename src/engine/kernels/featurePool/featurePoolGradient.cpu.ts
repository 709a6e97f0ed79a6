import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { preActivation } from "./featurePool.cpu.ts";

/** Oracle of `featurePoolGradient`. */
export function featurePoolGradientCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
): void {
  const [streamGradient, hidden, rowAnswers, indices, coefficients] = inputs as readonly [
    Floats,
    Values,
    Values,
    Values,
    Values,
  ];
  const [encoder, bias, threshold] = inputs.slice(5) as [Values, Values, Values];
  const [rows, inputSize] = shapes[1] as readonly [number, number];
  const listed = shapes[3]![1]!;
  for (let row = 0; row < rows; row++) {
    const total = new Float64Array(inputSize);
    for (const answer of [rowAnswers[2 * row]!, rowAnswers[2 * row + 1]!]) {
      if (answer < 0) continue;
      for (let place = answer * listed; place < (answer + 1) * listed; place++) {
        const [feature, coefficient] = [indices[place]!, coefficients[place]!];
        if (feature < 0 || coefficient === 0) continue;
        const pre = preActivation({ hidden, encoder, bias }, { row, feature, inputSize });
        if (!(pre > Math.max(threshold[feature]!, 0))) continue;
        for (let i = 0; i < inputSize; i++) total[i]! += coefficient * encoder[feature * inputSize + i]!;
      }
    }
    total.forEach((value, i) => (streamGradient[row * inputSize + i]! += value));
  }
}
