/**
 * The fixtures through the engine's own head, whose hidden states are the logits and whose weight is the identity: the
 * statistics that it gives are what objectives read, and the gradient of its hidden states is that of the logits.
 */
import { expect } from "vitest";
import {
  lmHeadHiddenGradient,
  lmHeadLogProbs,
  statisticColumn,
  statisticsWidth,
  type HeadInputs,
} from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import { dispose, read, tensor } from "../tensor/run.ts";
import { compare } from "../tensor/testing.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { featureDrift } from "./fixtureFeatures.testing.ts";
import { caseOf, type Fixture, type FixtureSide } from "./fixtureFile.testing.ts";
import { batchLosses } from "./fixtureLosses.testing.ts";
import { pairStatistics, totalsOf, type FullSide, type Measured } from "./fixtureStatistics.testing.ts";
import type { ObjectiveResult } from "./objective.ts";

/** Label of a row that scores nothing. */
const unscored = -1;

/** What may differ: losses relatively, gradients as a share of the largest. */
export interface HeadTolerances {
  readonly losses: number;
  readonly gradients: number;
}

/** A head over all rows of both sides, the chosen ones first, and what it made of them. */
export interface FixtureHead {
  readonly fixture: Fixture;
  readonly inputs: HeadInputs;
  /** [2 pairs time, statisticsWidth] */
  readonly statistics: Tensor;
  readonly labels: Int32Array;
  readonly measured: Measured;
  readonly dispose: () => void;
}

/** Token that each row predicts: the label of the position after it. */
function rowLabels({ labels }: FixtureSide, { time }: Fixture["shape"]): number[] {
  return labels.map((_, at) => {
    const next = labels[at + 1];
    return at % time === time - 1 || next === undefined || next < 0 ? unscored : next;
  });
}

/** Runs the head over a file on the active device; the caller disposes it. */
export async function openFixtureHead(fixture: Fixture): Promise<FixtureHead> {
  const { chosen, rejected, shape } = fixture;
  const { pairs, time, vocab } = shape;
  const rows = 2 * pairs * time;
  const logits = (name: "policyLogits" | "referenceLogits") =>
    tensor(Float32Array.from([...chosen[name], ...rejected[name]]), [rows, vocab]);
  const labels = Int32Array.from([...rowLabels(chosen, shape), ...rowLabels(rejected, shape)]);
  const inputs = {
    hidden: logits("policyLogits"),
    reference: logits("referenceLogits"),
    weight: tensor(
      Float32Array.from({ length: vocab * vocab }, (_, i) => (i % (vocab + 1) === 0 ? 1 : 0)),
      [vocab, vocab],
    ),
    labels: tensor(labels, [rows]),
  };
  const statistics = lmHeadLogProbs(inputs);
  // The other way round it gives the reference's log-probs.
  const turned = lmHeadLogProbs({ ...inputs, hidden: inputs.reference, reference: inputs.hidden });
  const [policy, reference] = [await read(statistics), await read(turned)];
  dispose([turned]);
  const sideFrom = (first: number): FullSide => ({
    logps: columnSums(policy, statisticColumn.logp, { first, pairs, time }),
    tokens: columnSums(
      labels.map((label) => Number(label !== unscored)),
      null,
      { first, pairs, time },
    ),
    referenceLogps: columnSums(reference, statisticColumn.logp, { first, pairs, time }),
    divergences: columnSums(policy, statisticColumn.kl, { first, pairs, time }),
  });
  return {
    fixture,
    inputs,
    statistics,
    labels,
    measured: { chosen: sideFrom(0), rejected: sideFrom(pairs * time) },
    dispose: () => {
      dispose([...Object.values(inputs), statistics]);
    },
  };
}

/** Sums a column of the statistics, or of an array with one number a row, by pair. */
function columnSums(
  values: ArrayLike<number>,
  column: number | null,
  { first, pairs, time }: { first: number; pairs: number; time: number },
): Float64Array {
  const sums = new Float64Array(pairs);
  for (let row = 0; row < pairs * time; row++) {
    const at = column === null ? first + row : (first + row) * statisticsWidth + column;
    const pair = Math.floor(row / time);
    sums[pair] = sums[pair]! + values[at]!;
  }
  return sums;
}

/** Upstream of the statistics: the objective's scalars in the columns of log-prob and KL. */
function upstreamOf({ labels, fixture }: FixtureHead, result: ObjectiveResult): Float32Array {
  const { pairs, time } = fixture.shape;
  const values = new Float32Array(labels.length * statisticsWidth);
  labels.forEach((_, row) => {
    const isChosen = row < pairs * time;
    const pair = Math.floor(row / time) % pairs;
    const logps = isChosen ? result.chosenGradient : result.rejectedGradient;
    const divergences = isChosen ? result.chosenDivergenceGradient : result.rejectedDivergenceGradient;
    values[row * statisticsWidth + statisticColumn.logp] = logps[pair]!;
    values[row * statisticsWidth + statisticColumn.kl] = divergences?.[pair] ?? 0;
  });
  return values;
}

/** Compares losses and gradients of the logits for a key of the file. The drift of features is the definition's. */
export async function checkHead(head: FixtureHead, key: string, tolerances: HeadTolerances): Promise<void> {
  const { fixture, measured, inputs, statistics } = head;
  const { objective, parameters } = caseOf(key, fixture);
  const expected = fixture.expected[key]!;
  const drift = featureDrift(fixture, key === "fpo_released" ? "released" : "paper");
  const result = objective.compute(
    pairStatistics(key, fixture, { ...measured, drift }),
    parameters,
    totalsOf(measured),
  );
  const { losses, listed } = batchLosses(key, result, { parameters, measured });
  listed(expected.losses).forEach((loss, pair) => {
    const difference = Math.abs(losses[pair]! - loss);
    expect(difference, `loss ${pair} of ${key} is ${losses[pair]}, not ${loss}`).toBeLessThanOrEqual(
      tolerances.losses * Math.abs(loss),
    );
  });
  const upstream = tensor(upstreamOf(head, result), statistics.shape);
  const gradient = lmHeadHiddenGradient(inputs, statistics, upstream);
  const values = await read(gradient);
  dispose([upstream, gradient]);
  const half = values.length / 2;
  const tolerance = tolerances.gradients;
  const sides = [
    ["chosen", values.slice(0, half), expected.gradChosenLogits],
    ["rejected", values.slice(half), expected.gradRejectedLogits],
  ] as const;
  for (const [name, found, wanted] of sides) {
    compare(found, Float32Array.from(wanted), { label: `${key}, logits of the ${name} answers`, tolerance });
  }
}
