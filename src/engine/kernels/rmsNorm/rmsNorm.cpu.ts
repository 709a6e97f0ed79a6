import type { Floats, Shape, Values } from "../../tensor/op.ts";

/** Oracle of `rmsNorm`: x [rows, width], gain [columns] -> y [rows, width], rstd of every `columns` values. */
export function rmsNormCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  _shapes: readonly Shape[],
  { epsilon }: { readonly epsilon: number },
): void {
  const [x, gain] = inputs as readonly [Values, Values];
  const [y, rstd] = outputs as readonly [Floats, Floats];
  const columns = gain.length;
  const rows = x.length / columns;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += x[start + column]! ** 2;
    const inverse = 1 / Math.sqrt(sum / columns + epsilon);
    rstd[row] = inverse;
    for (let column = 0; column < columns; column++) {
      y[start + column] = x[start + column]! * inverse * gain[column]!;
    }
  }
}

/** Oracle of `rmsNormDx`: x, gain, rstd, dy -> dx [rows, width]. */
export function rmsNormDxCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [x, gain, rstd, dy] = inputs as readonly [Values, Values, Values, Values];
  const [dx] = outputs as readonly [Floats];
  const columns = gain.length;
  const rows = x.length / columns;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const inverse = rstd[row]!;
    let sum = 0;
    for (let column = 0; column < columns; column++) {
      sum += gain[column]! * dy[start + column]! * x[start + column]!;
    }
    const pull = (sum / columns) * inverse ** 2;
    for (let column = 0; column < columns; column++) {
      dx[start + column] = inverse * (gain[column]! * dy[start + column]! - x[start + column]! * pull);
    }
  }
}

/** Oracle of `rmsNormDg`: x, rstd, dy -> dgain [columns]. */
export function rmsNormDgCpu(inputs: readonly Values[], outputs: readonly Floats[]): void {
  const [x, rstd, dy] = inputs as readonly [Values, Values, Values];
  const rows = rstd.length;
  const columns = x.length / rows;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const index = row * columns + column;
      sum += dy[index]! * x[index]! * rstd[row]!;
    }
    outputs[0]![column] = sum;
  }
}
