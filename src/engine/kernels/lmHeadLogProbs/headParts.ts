/**
 * The head over its vocabulary in parts: the shards of a weight that no binding holds whole, and ranges that keep each
 * dispatch short. What is known of each row is merged from part to part, and so is the gradient.
 */
import type { Op, Shape } from "../../tensor/op.ts";
import { ShapeError } from "../../tensor/op.ts";
import { dispose, run, zeros } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { piecesOf, shapeOfWeight } from "../weightLayout/packedWeight.ts";
import type { PackedWeight } from "../weightLayout/packedWeight.ts";
import { backwardText } from "./backward.wgsl.ts";
import { finishText, finishWorkgroup } from "./finish.wgsl.ts";
import { forwardText } from "./forward.wgsl.ts";
import type { EntryRange, HeadAttrs, HeadInputs } from "./headInputs.ts";
import {
  backwardBindings,
  backwardSizesOf,
  dispatchBlocks,
  gradientArrays,
  headArrays,
  headBindings,
  operandsOf,
  sizesOf,
} from "./headInputs.ts";
import type { HeadSizes } from "./headInputs.ts";
import { headFinished, headRunning, runningWidth } from "./headParts.cpu.ts";
import { headHiddenGradient, headWeightGradient, statisticsWidth } from "./lmHeadLogProbs.cpu.ts";

/** How a part of a head runs; the range is in uniforms. */
export type HeadPartAttrs = HeadAttrs & EntryRange;

/** Whether the finished statistics have a KL, and how many tokens there are. */
export interface HeadFinishAttrs {
  readonly hasReference: boolean;
  readonly vocabulary: number;
}

/** Multiply-adds of one dispatch at most: a fifth of a second at 100 GFLOP/s; a watchdog ends those of seconds. */
const largestWork = 2 ** 33;

/** Parts are multiples of what workgroups read at once. */
const entryUnit = 512;

/** A range of the rows of a weight or of one of its shards. */
export interface HeadPart extends EntryRange {
  readonly weight: PackedWeight;
}

/** The parts of a head in order, for operations that multiply the hidden states `products` times with each entry. */
export function partsOf(head: HeadInputs, products: number): HeadPart[] {
  const { hidden, weight, reference, entriesAtOnce } = head;
  const [vocabulary = 0] = shapeOfWeight(weight);
  const workOfEntry = hidden.size * (reference === undefined ? products : products + 1);
  const atMost = entriesAtOnce ?? Math.max(1, Math.floor(largestWork / workOfEntry / entryUnit)) * entryUnit;
  let first = 0;
  return piecesOf(weight).flatMap((piece) => {
    const ranges = rangesOf(piece.outputs, atMost).map((range) => ({
      ...range,
      first,
      vocabulary,
      weight: piece,
    }));
    first += piece.outputs;
    return ranges;
  });
}

function rangesOf(count: number, atMost: number): { start: number; end: number }[] {
  return Array.from({ length: Math.ceil(count / atMost) }, (_, index) => ({
    start: index * atMost,
    end: Math.min((index + 1) * atMost, count),
  }));
}

function checkRange({ vocabulary: height }: HeadSizes, range: EntryRange): void {
  const { first, start, end, vocabulary } = range;
  if (start < 0 || end <= start || end > height || first + end > vocabulary) {
    throw new ShapeError(
      `entries ${start} to ${end} from ${first} on are not among ${height} rows and ${vocabulary} tokens`,
    );
  }
}

function checkShape(name: string, shape: Shape | undefined, needed: Shape): void {
  if (shape?.join() !== needed.join()) {
    throw new ShapeError(`${name} is [${shape?.join(", ")}], [${needed.join(", ")}] is needed`);
  }
}

/**
 * Merges a range of the vocabulary into what is known of each row, in place: `running` [rows, `runningWidth`], zeros
 * before the first range.
 */
export const lmHeadPartOp: Op<HeadPartAttrs> = {
  name: "lmHeadPart",
  inputs: (attrs) => [...headBindings(attrs), { name: "running", type: "f32", isMutable: true }],
  outputs: () => [],
  uniforms: { rows: "u32", first: "u32", start: "u32", end: "u32" },
  outputShapes: (shapes, attrs) => {
    const sizes = sizesOf(shapes, attrs);
    checkRange(sizes, attrs);
    checkShape("running", shapes.at(-1), [sizes.rows, runningWidth(attrs.hasReference)]);
    return [];
  },
  dispatch: (shapes, attrs) => {
    const sizes = sizesOf(shapes, attrs);
    const { first, start, end } = attrs;
    const { rows } = sizes;
    const text = forwardText({ ...attrs, ...sizes, isPart: true });
    return dispatchBlocks(text, rows, { rows, first, start, end });
  },
  cpu: (inputs, _outputs, shapes, attrs) => {
    headRunning(headArrays(inputs, sizesOf(shapes, attrs), attrs), inputs.at(-1)!);
  },
};

/** Turns what is known of each row, once all parts are merged, into its statistics [rows, statisticsWidth]. */
export const lmHeadFinishOp: Op<HeadFinishAttrs> = {
  name: "lmHeadFinish",
  inputs: () => [
    { name: "running", type: "f32" },
    { name: "labels", type: "i32" },
  ],
  outputs: () => [{ name: "statistics", type: "f32" }],
  uniforms: { rows: "u32", vocabulary: "u32" },
  outputShapes: ([running, labels], { hasReference }) => {
    const [rows = 0] = labels ?? [];
    checkShape("running", running, [rows, runningWidth(hasReference)]);
    return [[rows, statisticsWidth]];
  },
  dispatch: ([, labels], { hasReference, vocabulary }) => {
    const [rows = 0] = labels ?? [];
    return {
      wgsl: finishText(hasReference),
      uniforms: { rows, vocabulary },
      workgroups: foldedGrid(Math.ceil(rows / finishWorkgroup)),
    };
  },
  cpu: ([running, labels], [statistics], _shapes, attrs) => {
    headFinished({ running: running!, labels: labels!, ...attrs }, statistics!);
  },
};

function partBackward(side: "rows" | "vocabulary") {
  const name = side === "rows" ? "hiddenGradient" : "weightGradient";
  const common: Pick<Op<HeadPartAttrs>, "inputs" | "outputs" | "uniforms" | "outputShapes" | "dispatch"> = {
    inputs: (attrs) => [
      ...backwardBindings(attrs),
      { name, type: attrs.vectorised ? "vec4<f32>" : "f32", isMutable: true },
    ],
    outputs: () => [],
    uniforms: { rows: "u32", vocabulary: "u32", first: "u32", start: "u32", end: "u32" },
    outputShapes: (shapes, attrs) => {
      const sizes = backwardSizesOf(shapes, attrs);
      checkRange(sizes, attrs);
      checkShape(name, shapes.at(-1), [sizes[side], sizes.width]);
      return [];
    },
    dispatch: (shapes, attrs) => {
      const sizes = backwardSizesOf(shapes, attrs);
      const { first, start, end, vocabulary } = attrs;
      const { rows } = sizes;
      const blocked = side === "rows" ? rows : end - start;
      const text = backwardText({ ...attrs, ...sizes, isPart: true }, side);
      return dispatchBlocks(text, blocked, { rows, vocabulary, first, start, end });
    },
  };
  return common;
}

/** Adds what a range of the vocabulary passes back to `hiddenGradient` [rows, hidden], in place. */
export const lmHeadHiddenGradientPartOp: Op<HeadPartAttrs> = {
  name: "lmHeadHiddenGradientPart",
  ...partBackward("rows"),
  cpu: (inputs, _outputs, shapes, attrs) => {
    headHiddenGradient(gradientArrays(inputs, shapes, attrs), inputs.at(-1) as Float32Array);
  },
};

/** Writes the rows of `weightGradient` [entries, hidden] that belong to a range of the vocabulary, in place. */
export const lmHeadWeightGradientPartOp: Op<HeadPartAttrs> = {
  name: "lmHeadWeightGradientPart",
  ...partBackward("vocabulary"),
  cpu: (inputs, _outputs, shapes, attrs) => {
    const { width } = sizesOf(shapes, attrs);
    const whole = inputs.at(-1) as Float32Array;
    const rows = whole.subarray(attrs.start * width, attrs.end * width);
    headWeightGradient(gradientArrays(inputs, shapes, attrs), rows);
  },
};

/** Statistics [rows, statisticsWidth] of a head, part by part: a dispatch for each and one that finishes. */
export function statisticsInParts(head: HeadInputs, parts: readonly HeadPart[]): Tensor {
  const hasReference = head.reference !== undefined;
  const [{ vocabulary }] = parts as readonly [HeadPart];
  const running = zeros([head.labels.size, runningWidth(hasReference)]);
  for (const { weight, ...range } of parts) {
    const { operands, attrs } = operandsOf(head, weight);
    run(lmHeadPartOp, [...operands, running], { ...attrs, ...range });
  }
  const [statistics] = run(lmHeadFinishOp, [running, head.labels], { hasReference, vocabulary });
  dispose(running);
  return statistics!;
}

/** Statistics that a head gave [rows, statisticsWidth] and their gradients. */
interface Upstream {
  readonly statistics: Tensor;
  readonly upstream: Tensor;
}

/** Gradient of the hidden states [rows, hidden], a dispatch for each part. */
export function hiddenGradientInParts(
  head: HeadInputs,
  parts: readonly HeadPart[],
  { statistics, upstream }: Upstream,
): Tensor {
  const gradient = zeros(head.hidden.shape);
  for (const { weight, ...range } of parts) {
    const { operands, attrs } = operandsOf(head, weight);
    const all = [...operands, statistics, upstream, gradient];
    run(lmHeadHiddenGradientPartOp, all, { ...attrs, ...range });
  }
  return gradient;
}

/** Gradient of a weight in one piece [vocabulary, hidden], a dispatch for each part. */
export function weightGradientInParts(
  head: HeadInputs,
  parts: readonly HeadPart[],
  { statistics, upstream }: Upstream,
): Tensor {
  const [{ vocabulary }] = parts as readonly [HeadPart];
  const gradient = zeros([vocabulary, head.hidden.shape[1] ?? 0]);
  for (const { weight, ...range } of parts) {
    const { operands, attrs } = operandsOf(head, weight);
    const all = [...operands, statistics, upstream, gradient];
    run(lmHeadWeightGradientPartOp, all, { ...attrs, ...range });
  }
  return gradient;
}
