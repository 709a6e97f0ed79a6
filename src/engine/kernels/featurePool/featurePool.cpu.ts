import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { poolColumns } from "./featurePool.wgsl.ts";

/** Row `feature` of the encoder on row `row` of the stream, plus the bias, in float64. */
export function preActivation(
  { hidden, encoder, bias }: Readonly<Record<"hidden" | "encoder" | "bias", Values>>,
  { row, feature, inputSize }: Readonly<Record<"row" | "feature" | "inputSize", number>>,
): number {
  let sum = bias[feature]!;
  for (let i = 0; i < inputSize; i++) sum += hidden[row * inputSize + i]! * encoder[feature * inputSize + i]!;
  return sum;
}

/** Oracle of `featurePool`. */
export function featurePoolCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  { isSerial }: { readonly isSerial: boolean },
): void {
  const [hidden, scoredRows, entryRanges, encoder, bias, threshold] = inputs as readonly [
    Values,
    Values,
    Values,
    Values,
    Values,
    Values,
  ];
  const [pooled, activity] = outputs as readonly [Floats, Floats];
  const [inputSize, answers, width] = [shapes[0]![1]!, shapes[2]![0]!, shapes[3]![0]!];
  const tiles = activity.length / answers;
  const tileWidth = poolColumns(isSerial);
  for (let answer = 0; answer < answers; answer++) {
    const [first, end] = [entryRanges[2 * answer]!, entryRanges[2 * answer + 1]!];
    const scale = 1 / Math.max(end - first, 1);
    const counts = new Float64Array(tiles);
    for (let feature = 0; feature < width; feature++) {
      let total = 0;
      for (let entry = first; entry < end; entry++) {
        const row = scoredRows[entry]!;
        if (row < 0) continue;
        const pre = preActivation({ hidden, encoder, bias }, { row, feature, inputSize });
        if (!(pre > Math.max(threshold[feature]!, 0))) continue;
        total += pre;
        counts[Math.floor(feature / tileWidth)]! += 1;
      }
      pooled[answer * width + feature] = total * scale;
    }
    counts.forEach((count, tile) => (activity[answer * tiles + tile] = count * scale));
  }
}
