import { ShapeError, type Binding, type Op } from "../../tensor/op.ts";
import { isSoftwareGpu, run } from "../../tensor/run.ts";
import type { Tensor } from "../../tensor/tfjs.ts";
import { foldedGrid } from "../grid.ts";
import { sampleCpu } from "./sample.cpu.ts";
import { sampleText } from "./sample.wgsl.ts";
import { BITS, isBounded, numbersOf, type SampleAttributes } from "./sampleAttributes.ts";

/** Attributes, and whether workgroups are small, as suits a device that computes lane after lane. */
export interface DeviceSampleAttributes extends SampleAttributes {
  readonly isSoftware: boolean;
}

/** Without chance nothing reads streams, and without a penalty nothing reads what was seen. */
function inputs({ temperature, repetitionPenalty }: SampleAttributes): Binding[] {
  return [
    { name: "logits", type: "f32" }, // [rows, vocabulary]
    ...(temperature === 0 ? [] : [{ name: "streams", type: "i32" } as const]), // [rows]
    { name: "chosen", type: "i32", isMutable: true }, // [rows]
    // [rows, ⌈vocabulary / 32⌉]
    ...(repetitionPenalty === 1 ? [] : [{ name: "seen", type: "u32", isMutable: true } as const]),
  ];
}

/** Writes the next token of every row into `chosen` in place, and marks it in `seen`. Has no output and no gradient. */
export const sampleOp: Op<DeviceSampleAttributes> = {
  name: "sample",
  inputs,
  outputs: () => [],
  uniforms: {
    rows: "u32",
    vocabulary: "u32",
    seed: "u32",
    step: "u32",
    count: "u32",
    share: "u32",
    sharpness: "f32",
    penalty: "f32",
    inversePenalty: "f32",
    capSharpness: "f32",
    capStep: "f32",
  },
  outputShapes: ([logits, ...others], attributes) => {
    const [rows, vocabulary] = logits as readonly [number, number];
    const words = Math.ceil(vocabulary / BITS);
    for (const [index, { name }] of inputs(attributes).slice(1).entries()) {
      const expected = name === "seen" ? `${rows}, ${words}` : `${rows}`;
      const found = others[index]?.join(", ");
      if (found !== expected)
        throw new ShapeError(
          `sample of ${rows} rows of ${vocabulary} got ${name} [${found}], not [${expected}]`,
        );
    }
    return [];
  },
  dispatch: ([logits], attributes) => {
    const { temperature, topK, topP, repetitionPenalty, seed, step } = attributes;
    const [rows, vocabulary] = logits as readonly [number, number];
    return {
      wgsl: sampleText({
        lanes: attributes.isSoftware ? 32 : 128,
        isGreedy: temperature === 0,
        hasCount: topK > 0 && topK < vocabulary,
        hasShare: topP < 1,
        hasPenalty: repetitionPenalty !== 1,
        hasBound: isBounded(attributes),
      }),
      uniforms: { rows, vocabulary, seed, step, count: topK, ...numbersOf(attributes) },
      workgroups: foldedGrid(rows),
    };
  },
  cpu: (arrays, _outputs, [logits], attributes) => {
    const named = Object.fromEntries(inputs(attributes).map(({ name }, index) => [name, arrays[index]]));
    sampleCpu(named, logits!, attributes);
  },
};

/** What is read and written beside the logits; all int32. */
export interface SampleTensors {
  /** [rows]: streams of random numbers; a row draws the same whatever the other rows are. */
  readonly streams: Tensor;
  /** [rows]: gets the chosen tokens. */
  readonly chosen: Tensor;
  /** [rows, ⌈vocabulary / 32⌉]: bit id % 32 of word ⌊id / 32⌋ says that a token was seen; needed for a penalty. */
  readonly seen: Tensor | null;
}

/**
 * Chooses the next token of every row of logits [rows, vocabulary], in this order: bound, repetition penalty (as Hugging
 * Face defines it), temperature, top-k, top-p, draw. Survivors and draws are decided in whole numbers, so both backends
 * choose the same from the same logits. Throws `RangeError` for attributes out of their range.
 */
export function sample(logits: Tensor, tensors: SampleTensors, attributes: SampleAttributes): void {
  checkAttributes(attributes);
  const { streams, chosen, seen } = tensors;
  const named: Readonly<Record<string, Tensor | null>> = { logits, streams, chosen, seen };
  const bound = inputs(attributes).map(({ name }) => {
    const found = named[name] ?? null;
    if (found === null) throw new Error(`sample needs ${name}.`);
    return found;
  });
  run(sampleOp, bound, { ...attributes, isSoftware: isSoftwareGpu() });
}

function checkAttributes({ temperature, topK, topP, repetitionPenalty }: SampleAttributes): void {
  if (!(temperature >= 0)) throw new RangeError(`The temperature is ${temperature}; it must be 0 or more.`);
  if (!(Number.isInteger(topK) && topK >= 0))
    throw new RangeError(`Top-k is ${topK}; it must be a whole number, 0 for all tokens.`);
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`Top-p is ${topP}; it must be above 0 and at most 1.`);
  if (!(repetitionPenalty > 0))
    throw new RangeError(`The repetition penalty is ${repetitionPenalty}; it must be above 0.`);
}
