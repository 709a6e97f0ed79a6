/** What evaluations say of features, against plain loops over the streams, on whichever backend is open. */
import { expect } from "vitest";
import { pairBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import { distinctWindows } from "../models/config.ts";
import type { Model } from "../models/decoder.ts";
import { openPass } from "../models/openPass.ts";
import { referenceWeights, type Weights } from "../models/weights.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { read } from "../tensor/run.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { uploadBatch } from "./deviceBatch.ts";
import type { Evaluation } from "./evaluate.ts";
import { randomAdapter, tinyRun, tinySae } from "./tinyRun.testing.ts";
import { train } from "./train.ts";

/** Features of one answer by one autoencoder. */
interface PlainAnswer {
  readonly means: number[];
  /** Active features of all scored positions. */
  readonly active: number;
  /** Scored positions that are not the start of a text, and what was made of them. */
  readonly rows: number[][];
  readonly restored: number[][];
}

/** Positions of every answer, chosen ones first: the stream after a layer of each, and the token read there. */
async function scoredStreams(model: Model, weights: Weights, pairs: readonly TokenPair[], layer: number) {
  const flat = pairBatch(pairs);
  const batch = uploadBatch(flat, distinctWindows(model.config));
  const walk = openPass({ model, weights, rows: batch.rows, keeps: "nothing" });
  walk.embed();
  for (let below = 0; below <= layer; below++) walk.forward(below);
  const stream = walk.residual();
  const values = await read(stream);
  stream.dispose();
  walk.dispose();
  batch.dispose();
  const { hiddenSize } = model.config;
  return Array.from({ length: flat.sequences }, (_, answer) =>
    [...flat.scoredRows].flatMap((row, entry) =>
      flat.entrySequence[entry] === answer
        ? [
            {
              row: Array.from(values.subarray(row * hiddenSize, (row + 1) * hiddenSize)),
              token: flat.tokenIds[row] ?? NaN,
            },
          ]
        : [],
    ),
  );
}

/** The features of every answer, chosen ones first. */
async function plainFeatures(
  of: { readonly model: Model; readonly weights: Weights; readonly startToken: number | null },
  sae: SparseAutoencoder,
  pairs: readonly TokenPair[],
): Promise<PlainAnswer[]> {
  const { decoder, width, inputSize } = sae;
  if (decoder === null) throw new Error("The autoencoder has no decoder.");
  const [encoder, bias, threshold, back, backBias] = await Promise.all(
    [sae.encoder, sae.bias, sae.threshold, decoder.weight, decoder.bias].map(read),
  );
  const streams = await scoredStreams(of.model, of.weights, pairs, sae.layer);
  const at = (values: Float32Array | Int32Array | undefined, place: number) => values?.[place] ?? NaN;
  const encode = (row: readonly number[]) =>
    Array.from({ length: width }, (_, feature) => {
      const pre = row.reduce(
        (sum, x, i) => sum + x * at(encoder, feature * inputSize + i),
        at(bias, feature),
      );
      return pre > Math.max(0, at(threshold, feature)) ? pre : 0;
    });
  const decode = (features: readonly number[]) =>
    Array.from({ length: inputSize }, (_, i) =>
      features.reduce(
        (sum, value, feature) => sum + value * at(back, feature * inputSize + i),
        at(backBias, i),
      ),
    );
  return streams.map((positions) => {
    const known = positions.filter(({ token }) => token !== of.startToken).map(({ row }) => row);
    const codes = known.map(encode);
    return {
      means: Array.from(
        { length: width },
        (_, feature) => codes.reduce((sum, code) => sum + (code[feature] ?? NaN), 0) / positions.length,
      ),
      active: codes.flat().filter((value) => value > 0).length,
      rows: known,
      restored: codes.map(decode),
    };
  });
}

function topOf(means: readonly number[], count: number): number[] {
  const active = [...means.keys()].filter((feature) => (means[feature] ?? NaN) > 0);
  return active.toSorted((a, b) => (means[b] ?? NaN) - (means[a] ?? NaN) || a - b).slice(0, count);
}

function driftAndOverlap(policy: readonly number[], reference: readonly number[], topK: number) {
  const [own, other] = [topOf(policy, topK), topOf(reference, topK)];
  const union = [...new Set([...own, ...other])];
  const squares = union.map((feature) => ((policy[feature] ?? NaN) - (reference[feature] ?? NaN)) ** 2);
  return {
    drift: sumOf(squares) / topK,
    overlap: (own.length + other.length - union.length) / Math.max(own.length, other.length),
  };
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const meanOf = (values: readonly number[]) => sumOf(values) / values.length;

/** Σ‖h − ĥ‖² / Σ‖h − mean‖². */
function unexplainedOf(answers: readonly PlainAnswer[]): number {
  const rows = answers.flatMap((answer) => answer.rows);
  const restored = answers.flatMap((answer) => answer.restored);
  const mean = (rows[0] ?? []).map((_, i) => meanOf(rows.map((row) => row[i] ?? NaN)));
  const distance = (a: readonly number[], b: readonly number[]) =>
    sumOf(a.map((value, i) => (value - (b[i] ?? NaN)) ** 2));
  return (
    sumOf(rows.map((row, at) => distance(row, restored[at] ?? []))) /
    sumOf(rows.map((row) => distance(row, mean)))
  );
}

/** Everything an evaluation says of features, from plain loops. */
async function expectedOf(
  model: Model,
  policy: Weights,
  {
    saes,
    pairs,
    topK,
    startToken,
  }: {
    readonly saes: readonly SparseAutoencoder[];
    readonly pairs: readonly TokenPair[];
    readonly topK: number;
    readonly startToken: number | null;
  },
) {
  const perSae: { own: PlainAnswer[]; compared: ReturnType<typeof driftAndOverlap>[] }[] = [];
  for (const sae of saes) {
    const own = await plainFeatures({ model, weights: policy, startToken }, sae, pairs);
    const other = await plainFeatures({ model, weights: referenceWeights(model), startToken }, sae, pairs);
    perSae.push({
      own,
      compared: own.map(({ means }, answer) => driftAndOverlap(means, other[answer]?.means ?? [], topK)),
    });
  }
  const count = pairs.length;
  const driftOf = (from: number) =>
    sumOf(perSae.map(({ compared }) => meanOf(compared.slice(from, from + count).map(({ drift }) => drift))));
  const meansOf = (from: number) =>
    perSae.flatMap(({ own }) =>
      (own[0]?.means ?? []).map((_, feature) =>
        meanOf(own.slice(from, from + count).map(({ means }) => means[feature] ?? NaN)),
      ),
    );
  const tokens = sumOf(pairs.map(({ chosen, rejected }) => chosen.length + rejected.length));
  return {
    metrics: {
      "eval_features/mse_chosen": driftOf(0),
      "eval_features/mse_rejected": driftOf(count),
      "eval_features/mse_margin": driftOf(0) - driftOf(count),
      "eval_features/l0": sumOf(perSae.flatMap(({ own }) => own.map(({ active }) => active))) / tokens,
      "eval_features/overlap": meanOf(
        perSae.flatMap(({ compared }) => compared.map(({ overlap }) => overlap)),
      ),
      "eval_features/unexplained": meanOf(perSae.map(({ own }) => unexplainedOf(own))),
    },
    means: { chosen: meansOf(0), rejected: meansOf(count) },
  };
}

/**
 * Evaluates a run of a method whose autoencoders lie at `layers`, with an adapter that moves the model, and compares
 * everything said of features with plain loops. `topK` is what the drift counts.
 */
export async function checkEvaluatedFeatures(
  method: "dpo" | "fpo",
  {
    layers,
    topK,
    tolerance,
  }: { readonly layers: readonly number[]; readonly topK: number; readonly tolerance: number },
): Promise<void> {
  const { model, dispose } = createTinyModel();
  const saes = layers.map((layer) => tinySae(0.1, { layer, width: 24 - 7 * layer }));
  // A prompt of one token: the row that predicts the first token of both answers is the start of the text.
  const startToken = 1;
  const pairs = tinyPairs(5, { seed: 2 }).map((pair, at) =>
    at === 0 ? { ...pair, prompt: Int32Array.of(startToken) } : pair,
  );
  const run = tinyRun(
    model,
    { method, evalPairs: pairs.length, batchPairs: 2, steps: 1 },
    {
      heldoutPairs: pairs,
      // Sorted by layer, whatever order they come in.
      features: { saes: saes.toReversed(), startToken },
      initialAdapter: randomAdapter(model, 3),
    },
  );
  let evaluation: Evaluation | null = null;
  for await (const report of train(run)) {
    if (report.kind === "evaluation") ({ evaluation } = report);
    if (report.kind !== "milestone") continue;
    const { weights } = report.milestone;
    const expected = await expectedOf(model, weights, { saes, pairs, topK, startToken });
    for (const [name, value] of Object.entries(expected.metrics)) {
      expect(value, name).not.toBe(0);
      const found = evaluation?.metrics[name] ?? NaN;
      expect(Math.abs(found - value), `${name}: ${found} against ${value}`).toBeLessThanOrEqual(
        tolerance * Math.abs(value),
      );
    }
    for (const side of ["chosen", "rejected"] as const) {
      const [found, wanted] = [evaluation?.features?.[side] ?? [], expected.means[side]];
      expect(found).toHaveLength(wanted.length);
      wanted.forEach((value, feature) => {
        expect(Math.abs((found[feature] ?? NaN) - value)).toBeLessThanOrEqual(
          tolerance * Math.max(...wanted),
        );
      });
    }
    break;
  }
  for (const sae of saes) sae.dispose();
  dispose();
}
