import type { Floats, Shape, Values } from "../../tensor/op.ts";

/** Oracle of `layerNorm`: x [rows, columns], gain, bias [columns] -> y [rows, columns], statistics [rows, 2]. */
export function layerNormCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  { epsilon }: { readonly epsilon: number },
): void {
  const [x, gain, bias] = inputs as readonly [Values, Values, Values];
  const [y, statistics] = outputs as readonly [Floats, Floats];
  const [rows, columns] = shapes[0] as readonly [number, number];
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += x[start + column]!;
    const mean = sum / columns;
    let squares = 0;
    for (let column = 0; column < columns; column++) squares += (x[start + column]! - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / columns + epsilon);
    statistics[2 * row] = mean;
    statistics[2 * row + 1] = rstd;
    for (let column = 0; column < columns; column++) {
      y[start + column] = (x[start + column]! - mean) * rstd * gain[column]! + bias[column]!;
    }
  }
}

/** Oracle of `layerNormDx`: x, gain, statistics, dy -> dx [rows, columns]. */
export function layerNormDxCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
): void {
  const [x, gain, statistics, dy] = inputs as readonly [Values, Values, Values, Values];
  const [dx] = outputs as readonly [Floats];
  const [rows, columns] = shapes[0] as readonly [number, number];
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const mean = statistics[2 * row]!;
    const rstd = statistics[2 * row + 1]!;
    let sum = 0;
    let along = 0;
    for (let column = 0; column < columns; column++) {
      const pull = gain[column]! * dy[start + column]!;
      sum += pull;
      along += pull * (x[start + column]! - mean) * rstd;
    }
    for (let column = 0; column < columns; column++) {
      const normed = (x[start + column]! - mean) * rstd;
      dx[start + column] =
        rstd * (gain[column]! * dy[start + column]! - sum / columns - (normed * along) / columns);
    }
  }
}

/** Oracle of `layerNormDg`: x, statistics, dy -> dgain [columns]. */
export function layerNormDgCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
): void {
  const [x, statistics, dy] = inputs as readonly [Values, Values, Values];
  const [rows, columns] = shapes[0] as readonly [number, number];
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const index = row * columns + column;
      sum += dy[index]! * (x[index]! - statistics[2 * row]!) * statistics[2 * row + 1]!;
    }
    outputs[0]![column] = sum;
  }
}
