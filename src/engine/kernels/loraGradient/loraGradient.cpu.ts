import type { Floats, Shape, Values } from "../../tensor/op.ts";
import { placed, totalRank } from "../groupLinear/groupLinear.ts";
import type { LoraGradientAttrs } from "./loraGradient.ts";

/** Oracle of `loraGradient`: writes both factors' gradients into gtheta, or adds them to it. */
export function loraGradientCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
  { segments, aOffset, bOffset, scale, xaOffset, accumulates }: LoraGradientAttrs,
): void {
  const [dxa, x, dy, xa, gtheta] = inputs as readonly [Values, Values, Values, Values, Values];
  const [rows, width, columns, xaColumns] = [shapes[1]![0]!, shapes[1]![1]!, shapes[2]![1]!, shapes[3]![1]!];
  const ranks = totalRank(segments);
  const put = (at: number, value: number): void => {
    gtheta[at] = value + (accumulates ? gtheta[at]! : 0);
  };
  for (let i = 0; i < ranks; i++) {
    for (let k = 0; k < width; k++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += dxa[row * ranks + i]! * x[row * width + k]!;
      put(aOffset + i * width + k, sum);
    }
  }
  for (const segment of placed(segments)) {
    for (let column = 0; column < segment.columns; column++) {
      for (let i = 0; i < segment.rank; i++) {
        const [left, right] = [segment.firstColumn + column, xaOffset + segment.firstRank + i];
        let sum = 0;
        for (let row = 0; row < rows; row++) sum += dy[row * columns + left]! * xa[row * xaColumns + right]!;
        put(bOffset + segment.firstFactor + column * segment.rank + i, scale * sum);
      }
    }
  }
}
