import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { preActivation } from "../featurePool/featurePool.cpu.ts";
import type { SteerAttrs } from "./steerStream.ts";

/** Oracle of `steerStream`. */
export function steerStreamCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
  { mode, feature, value, skippedToken }: SteerAttrs,
): void {
  const [stream, tokenIds, decoder, encoder, bias, threshold] = inputs as readonly [
    Values,
    Values,
    Values,
    Values?,
    Values?,
    Values?,
  ];
  const [rows, inputSize] = shapes[0] as readonly [number, number];
  for (let row = 0; row < rows; row++) {
    if (tokenIds[row] === skippedToken) continue;
    let amount = value;
    if (mode === "clamp") {
      const pre = preActivation(
        { hidden: stream, encoder: encoder!, bias: bias! },
        { row, feature, inputSize },
      );
      if (pre > Math.max(threshold![feature]!, 0)) amount -= pre;
    }
    for (let i = 0; i < inputSize; i++)
      stream[row * inputSize + i]! += amount * decoder[feature * inputSize + i]!;
  }
}
