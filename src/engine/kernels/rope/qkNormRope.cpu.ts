import type { Floats, Shape, Values } from "../../tensor/op.ts";
import type { QkNormRopeAttrs } from "./qkNormRope.ts";

interface Head {
  /** Index of the head's first value. */
  readonly start: number;
  readonly row: number;
  readonly gain: Values;
}

function* headsOf(shape: Shape, gains: { q: Values; k: Values }, attrs: QkNormRopeAttrs): Generator<Head> {
  const [rows, width] = shape as [number, number];
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < attrs.heads + attrs.keyValueHeads; head++) {
      const gain = head < attrs.heads ? gains.q : gains.k;
      yield { start: row * width + head * attrs.headDim, row, gain };
    }
  }
}

/** One over the root mean square of a head, with epsilon. */
function inverseRms(values: Values, start: number, { headDim, epsilon }: QkNormRopeAttrs): number {
  let squares = 0;
  for (let i = start; i < start + headDim; i++) squares += values[i]! * values[i]!;
  return 1 / Math.sqrt(squares / headDim + epsilon);
}

/** Turns one head of `values` in place; direction -1 undoes direction 1. */
function turn(
  values: number[],
  [table, positions]: readonly [Values, Values],
  row: number,
  { rotary, direction }: { rotary: number; direction: 1 | -1 },
): void {
  const planes = rotary / 2;
  for (let plane = 0; plane < planes; plane++) {
    const at = (positions[row]! * planes + plane) * 2;
    const [cosine, sine] = [table[at]!, table[at + 1]! * direction];
    const [a, b] = [values[plane]!, values[plane + planes]!];
    values[plane] = a * cosine - b * sine;
    values[plane + planes] = b * cosine + a * sine;
  }
}

/** Oracle of `qkNormRope`: raw rows -> rows with normed and turned query and key heads. */
export function qkNormRopeCpu(
  inputs: readonly Values[],
  outputs: readonly Floats[],
  shapes: readonly Shape[],
  attrs: QkNormRopeAttrs,
): void {
  const [raw, q, k, table, positions] = inputs as readonly [Values, Values, Values, Values, Values];
  const [qkv] = outputs as readonly [Floats];
  qkv.set(raw);
  for (const { start, row, gain } of headsOf(shapes[0]!, { q, k }, attrs)) {
    const rstd = inverseRms(raw, start, attrs);
    const normed = Array.from({ length: attrs.headDim }, (_, i) => raw[start + i]! * rstd * gain[i]!);
    turn(normed, [table, positions], row, { rotary: attrs.rotary, direction: 1 });
    qkv.set(normed, start);
  }
}

/** Oracle of `qkNormRopeGradient`: the query and key heads of dqkv become gradients of the raw rows. */
export function qkNormRopeGradientCpu(
  inputs: readonly Values[],
  _outputs: readonly Floats[],
  shapes: readonly Shape[],
  attrs: QkNormRopeAttrs,
): void {
  const [dqkv, raw, q, k, table, positions] = inputs as readonly [
    Values,
    Values,
    Values,
    Values,
    Values,
    Values,
  ];
  const { headDim, rotary } = attrs;
  for (const { start, row, gain } of headsOf(shapes[0]!, { q, k }, attrs)) {
    const rstd = inverseRms(raw, start, attrs);
    const dn = Array.from({ length: headDim }, (_, i) => dqkv[start + i]!);
    turn(dn, [table, positions], row, { rotary, direction: -1 });
    let along = 0;
    for (let i = 0; i < headDim; i++) along += dn[i]! * gain[i]! * raw[start + i]! * rstd;
    for (let i = 0; i < headDim; i++) {
      dqkv[start + i] = rstd * (dn[i]! * gain[i]! - (raw[start + i]! * rstd * along) / headDim);
    }
  }
}
