import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { AddNormAttrs } from "./addNorm.ts";

/** Oracle of `addNorm`: x [N, d], (y0 [N, d]), (ya [N, Rp]), gain [d], (theta) -> (h [N, d]), xn [N, d], aux [N, 1 + R]. */
export function addNormCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  attrs: AddNormAttrs,
): void {
  const { hasAdd, upRank, downRank } = attrs;
  const rest = [...inputs];
  const x = rest.shift()!;
  const y0 = hasAdd ? rest.shift()! : undefined;
  const ya = upRank > 0 ? rest.shift()! : undefined;
  const [gain, theta] = rest as [Values, Values];
  const [xn, aux] = outputs.slice(-2) as [Floats, Floats];
  const [rows, columns] = shapes[0] as readonly [number, number];
  const h = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let column = 0; column < columns; column++) {
      let up = 0;
      for (let i = 0; i < upRank; i++) {
        up += ya![row * upRank + i]! * theta[attrs.bOffset + column * upRank + i]!;
      }
      h[column] = x[start + column]! + (y0?.[start + column] ?? 0) + attrs.loraScale * up;
    }
    if (hasAdd) {
      // Rounded as it is stored, so that a pass that reads h again computes the same bits.
      outputs[0]!.set(h, start);
      h.set(outputs[0]!.subarray(start, start + columns));
    }
    let squares = 0;
    for (let column = 0; column < columns; column++) squares += h[column]! ** 2;
    const rstd = 1 / Math.sqrt(squares / columns + attrs.epsilon);
    aux[row * (1 + downRank)] = rstd;
    for (let column = 0; column < columns; column++) {
      h[column]! *= rstd * gain[column]!;
    }
    xn.set(h, start);
    for (let i = 0; i < downRank; i++) {
      const factor = attrs.aOffset + i * columns;
      let sum = 0;
      for (let column = 0; column < columns; column++) sum += h[column]! * theta[factor + column]!;
      aux[row * (1 + downRank) + 1 + i] = sum;
    }
  }
}

/** Oracle of `addNormGradient`: dxn0, (dxa, theta), h, aux, gain -> dh [N, d], changed in place. */
export function addNormGradientCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
  { downRank, aOffset }: { readonly downRank: number; readonly aOffset: number },
): void {
  const dxn0 = inputs[0]!;
  const [dxa, theta] = downRank > 0 ? inputs.slice(1, 3) : [];
  const [h, aux, gain, dh] = inputs.slice(-4) as [Values, Values, Values, Floats];
  const [rows, columns] = shapes[0] as readonly [number, number];
  const dxn = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let column = 0; column < columns; column++) dxn[column] = dxn0[start + column]!;
    for (let i = 0; i < downRank; i++) {
      const factor = dxa![row * downRank + i]!;
      for (let column = 0; column < columns; column++) {
        dxn[column]! += factor * theta![aOffset + i * columns + column]!;
      }
    }
    const rstd = aux[row * (1 + downRank)]!;
    let sum = 0;
    for (let column = 0; column < columns; column++) {
      sum += gain[column]! * dxn[column]! * h[start + column]! * rstd;
    }
    const mean = sum / columns;
    for (let column = 0; column < columns; column++) {
      dh[start + column]! += rstd * (gain[column]! * dxn[column]! - h[start + column]! * rstd * mean);
    }
  }
}

/** Oracle of `addNormGainGradient`: dxn, h, aux -> dgain [d]. */
export function addNormGainGradientCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
): void {
  const [dxn, h, aux] = inputs as readonly [Values, Values, Values];
  const [rows, columns] = shapes[0] as readonly [number, number];
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const rstd = aux[row * shapes[2]![1]!]!;
    for (let column = 0; column < columns; column++) {
      const index = row * columns + column;
      sums[column]! += dxn[index]! * h[index]! * rstd;
    }
  }
  outputs[0]!.set(sums);
}
