/**
 * A few steps of decoding without a word from the host: what a step chooses is what the next one reads. Logits stay on
 * the device.
 */
import { sample } from "../kernels/sample/sample.ts";
import { seenBits, type SampleAttributes } from "../kernels/sample/sampleAttributes.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { headLogits } from "../models/headLogits.ts";
import { openPass } from "../models/openPass.ts";
import type { KeyValueCache, Rows, ScoredRows, Window } from "../models/rows.ts";
import type { Weights } from "../models/weights.ts";
import { dispose, giveWay, read, tensor, tidy, view, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { steerPass, type FeatureSteering } from "./steering.ts";

/** What texts grow by. */
export interface Decoder {
  readonly model: Model;
  readonly weights: Weights;
  readonly cache: KeyValueCache;
  readonly sampling: Omit<SampleAttributes, "step">;
  readonly steering: FeatureSteering | null;
}

/** A text that grows. */
export interface Pending {
  readonly tokens: readonly number[];
  /** Tokens before this one are in the cache. */
  readonly from: number;
  /** Where its first token lies in the cache. */
  readonly slot: number;
  /** Stream of random numbers. */
  readonly stream: number;
}

/** Where steps begin, counted in new tokens, and how many there are. */
export interface Steps {
  readonly grown: number;
  readonly steps: number;
}

/** A view that an operation writes begins at a multiple of this. */
const VIEW_STEP = 64;

/** The next tokens of every text, [texts][steps]. */
export async function decode(
  decoder: Decoder,
  texts: readonly Pending[],
  { grown, steps }: Steps,
): Promise<number[][]> {
  const held: Tensor[] = [];
  const hold = (made: Tensor) => {
    held.push(made);
    return made;
  };
  const { repetitionPenalty } = decoder.sampling;
  const stride = VIEW_STEP * Math.ceil(texts.length / VIEW_STEP);
  try {
    const chosen = hold(zeros([steps, stride], "int32"));
    const streams = hold(integers(texts.map(({ stream }) => stream)));
    const seen = repetitionPenalty === 1 ? null : hold(seenOf(decoder.model, texts));
    const places = Array.from({ length: steps }, (_, step) =>
      hold(view(chosen, step * stride, [texts.length])),
    );
    for (const [step, place] of places.entries()) {
      const before = places[step - 1];
      const rows = before === undefined ? textRows(texts) : nextRows(texts, step);
      const logits = await logitsOf(decoder, rows, before ?? null);
      sample(logits, { streams, chosen: place, seen }, { ...decoder.sampling, step: grown + step });
      logits.dispose();
    }
    const ids = await read(chosen);
    return texts.map((_, text) => places.map((_place, step) => ids[step * stride + text] ?? 0));
  } finally {
    dispose(held);
  }
}

/** Rows of a step on the host. */
interface StepRows {
  readonly tokenIds: readonly number[];
  readonly positions: readonly number[];
  /** First place of each row's text in the cache. */
  readonly slots: readonly number[];
  /** The last row of every text. */
  readonly lastRows: readonly number[];
}

/** All tokens that are not in the cache yet. */
function textRows(texts: readonly Pending[]): StepRows {
  const rows = texts.flatMap(({ tokens, from, slot }) =>
    tokens.slice(from).map((token, index) => ({ token, position: from + index, slot })),
  );
  let count = 0;
  return {
    tokenIds: rows.map(({ token }) => token),
    positions: rows.map(({ position }) => position),
    slots: rows.map(({ slot }) => slot),
    lastRows: texts.map(({ tokens, from }) => (count += tokens.length - from) - 1),
  };
}

/** One row for each text, whose token only the device knows. */
function nextRows(texts: readonly Pending[], step: number): StepRows {
  return {
    tokenIds: [],
    positions: texts.map(({ tokens }) => tokens.length + step - 1),
    slots: texts.map(({ slot }) => slot),
    lastRows: [...texts.keys()],
  };
}

/** Logits after every text [texts, vocabulary]; `known` holds the tokens of the rows where the host does not. */
async function logitsOf(decoder: Decoder, step: StepRows, known: Tensor | null): Promise<Tensor> {
  const { model } = decoder;
  const held: Tensor[] = [];
  const upload = (values: readonly number[], width?: number) => {
    const made = integers(values, width);
    held.push(made);
    return made;
  };
  try {
    const rows: Rows = {
      tokenIds: known ?? upload(step.tokenIds),
      positions: upload(step.positions),
      attention: {
        kind: "cached",
        cache: decoder.cache,
        slots: upload(step.slots.map((slot, row) => slot + (step.positions[row] ?? 0))),
        keyRanges: new Map(
          distinctWindows(model.config).map((window) => [window, upload(keyRanges(step, window), 2)]),
        ),
      },
    };
    const scored = { rows: upload(step.lastRows), inverse: upload(inverseOf(step), 2) };
    return await forward(decoder, rows, scored);
  } finally {
    dispose(held);
  }
}

async function forward(
  { model, weights, steering }: Pick<Decoder, "model" | "weights" | "steering">,
  rows: Rows,
  scored: ScoredRows,
): Promise<Tensor> {
  const pass = openPass({ model, weights, rows, keeps: "nothing" });
  try {
    pass.embed();
    for (let layer = 0; layer < model.config.layers; layer++) {
      pass.forward(layer);
      if (steering?.sae.layer === layer) steerPass(pass, rows.tokenIds, steering);
      await giveWay();
    }
    const hidden = pass.scored(scored); // [texts, hidden]
    return tidy(() => headLogits(model, weights, hidden));
  } finally {
    pass.dispose();
  }
}

/** The places [first, end) in the cache that each row sees: its text up to itself, or the last `window` of that. */
function keyRanges({ positions, slots }: StepRows, window: Window): number[] {
  return positions.flatMap((position, row) => {
    const slot = slots[row] ?? 0;
    const first = window === null ? 0 : Math.max(0, position + 1 - window);
    return [slot + first, slot + position + 1];
  });
}

/** For each row the text that it is the last row of; −1 where there is none. */
function inverseOf({ positions, lastRows }: StepRows): number[] {
  const inverse = positions.flatMap(() => [-1, -1]);
  lastRows.forEach((row, text) => {
    inverse[2 * row] = text;
  });
  return inverse;
}

function integers(values: readonly number[], width?: number): Tensor {
  const shape = width === undefined ? [values.length] : [values.length / width, width];
  return tensor(Int32Array.from(values), shape);
}

/** The tokens of every text, as `sample` marks them. */
function seenOf({ config }: Model, texts: readonly Pending[]): Tensor {
  const bits = seenBits(
    texts.map(({ tokens }) => tokens),
    config.vocabularySize,
  );
  return tensor(bits, [texts.length, bits.length / texts.length]);
}
