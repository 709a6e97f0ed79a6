/** Drifts of features and their gradients in the objectives' fixtures, on whichever backend is open. */
import { expect } from "vitest";
import { featurePool, type FeatureEncoder } from "../kernels/featurePool/featurePool.ts";
import { featurePoolGradient } from "../kernels/featurePool/featurePoolGradient.ts";
import { featureError, gradientLists, longestList, type FeatureMode } from "../sae/featureErrors.ts";
import { dispose, read, tensor, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { readFixtureText } from "./fixtures.ts";

interface FixtureSide {
  readonly labels: readonly number[];
  readonly policyHidden: readonly number[];
  readonly referenceHidden: readonly number[];
}

interface FixtureStatistics {
  readonly sumLogps: readonly number[];
  readonly sumReferenceLogps: readonly number[];
  readonly scoredTokens: readonly number[];
}

interface ExpectedFeatures {
  readonly params: {
    readonly beta: number;
    readonly alpha: number;
    readonly topK: number;
    readonly stopGradientChosen?: boolean;
  };
  readonly featureMseChosen: readonly number[];
  readonly featureMseRejected: readonly number[];
  readonly gradChosenHidden: readonly number[];
  readonly gradRejectedHidden: readonly number[];
}

interface LossFixture {
  readonly shape: {
    readonly pairs: number;
    readonly time: number;
    readonly hidden: number;
    readonly features: number;
  };
  readonly chosen: FixtureSide;
  readonly rejected: FixtureSide;
  readonly sae: {
    readonly wEnc: readonly number[];
    readonly bEnc: readonly number[];
    readonly threshold: readonly number[];
  };
  readonly statistics: { readonly chosen: FixtureStatistics; readonly rejected: FixtureStatistics };
  readonly expected: Readonly<Record<string, ExpectedFeatures>>;
}

/** Objectives of the fixtures that have features, and which features they count. */
const featureKeys: Readonly<Record<string, FeatureMode>> = {
  fpo: "paper",
  fpo_beta2: "paper",
  fpo_no_stopgrad: "paper",
  fpo_released: "released",
};

/** The rows that are scored, answer by answer: chosen sides of all pairs, then the rejected ones. */
function scoredTables({ chosen, rejected, shape: { pairs, time } }: LossFixture) {
  const labels = [...chosen.labels, ...rejected.labels];
  const scoredRows: number[] = [];
  const entryRanges: number[] = [];
  const rowAnswers = new Int32Array(2 * labels.length).fill(-1);
  for (let answer = 0; answer < 2 * pairs; answer++) {
    entryRanges.push(scoredRows.length);
    for (let row = answer * time; row < (answer + 1) * time - 1; row++) {
      if (labels[row + 1]! < 0) continue;
      scoredRows.push(row);
      // Either column may hold the answer.
      rowAnswers[2 * row + (row % 2)] = answer;
    }
    entryRanges.push(scoredRows.length);
  }
  return {
    scoredRows: tensor(Int32Array.from(scoredRows), [scoredRows.length]),
    entryRanges: tensor(Int32Array.from(entryRanges), [2 * pairs, 2]),
    rowAnswers: tensor(rowAnswers, [labels.length, 2]),
  };
}

/** ∂(mean loss) / ∂D of the chosen, then of the rejected sides, from the drifts D in that order. */
function distanceGradients(
  { statistics: { chosen, rejected }, shape: { pairs } }: LossFixture,
  { beta, alpha, stopGradientChosen = true }: ExpectedFeatures["params"],
  drifts: readonly number[],
): number[] {
  const ratio = ({ sumLogps, sumReferenceLogps, scoredTokens }: FixtureStatistics, pair: number): number =>
    (sumLogps[pair]! - sumReferenceLogps[pair]!) / scoredTokens[pair]!;
  const gradients = Array.from({ length: pairs }, (_, pair) => {
    const margin = beta * (ratio(chosen, pair) - ratio(rejected, pair));
    const u = margin - alpha * beta * (drifts[pairs + pair]! - drifts[pair]!);
    return (alpha * beta) / (1 + Math.exp(u)) / pairs;
  });
  return [...gradients.map((gradient) => (stopGradientChosen ? 0 : -gradient)), ...gradients];
}

/** A fixture on the device: answers are the chosen sides of all pairs, then the rejected ones. */
interface OpenFixture {
  readonly fixture: LossFixture;
  readonly encoder: FeatureEncoder;
  readonly tables: ReturnType<typeof scoredTables>;
  /** [answers time, hidden] */
  readonly policyHidden: Tensor;
  readonly referenceHidden: Tensor;
}

async function openFixture(name: string): Promise<OpenFixture> {
  const text = await readFixtureText(`losses/${name}.json`);
  if (text === null) throw new Error(`The fixture losses/${name}.json is missing.`);
  const fixture = JSON.parse(text) as LossFixture;
  const { shape, chosen, rejected, sae } = fixture;
  const { pairs, time, hidden: inputSize, features: width } = shape;
  const byFeature = Float32Array.from(
    { length: width * inputSize },
    (_, place) => sae.wEnc[(place % inputSize) * width + Math.floor(place / inputSize)]!,
  );
  const rows = 2 * pairs * time;
  return {
    fixture,
    encoder: {
      encoder: tensor(byFeature, [width, inputSize]),
      bias: tensor(sae.bEnc, [width]),
      threshold: tensor(sae.threshold, [width]),
    },
    tables: scoredTables(fixture),
    policyHidden: tensor([...chosen.policyHidden, ...rejected.policyHidden], [rows, inputSize]),
    referenceHidden: tensor([...chosen.referenceHidden, ...rejected.referenceHidden], [rows, inputSize]),
  };
}

/** The pooled features of every answer. */
async function pooledRows({ encoder, tables }: OpenFixture, hidden: Tensor): Promise<Float32Array[]> {
  const { pooled, activity } = featurePool({ ...encoder, ...tables, hidden });
  const values = Float32Array.from(await read(pooled));
  const [answers = 0, width = 0] = pooled.shape;
  dispose([pooled, activity]);
  return Array.from({ length: answers }, (_, answer) => values.slice(answer * width, (answer + 1) * width));
}

/** Drifts of all answers and the gradient of the stream that they lead to. */
async function driftsOf(
  open: OpenFixture,
  rows: { readonly policy: readonly Float32Array[]; readonly reference: readonly Float32Array[] },
  { key, mode }: { readonly key: string; readonly mode: FeatureMode },
) {
  const { fixture, encoder, tables, policyHidden: hidden } = open;
  const { params } = fixture.expected[key]!;
  const { chosen, rejected } = fixture.statistics;
  const tokens = [...chosen.scoredTokens, ...rejected.scoredTokens];
  const options = { mode, topK: params.topK };
  const divisor = mode === "released" ? { divisor: fixture.shape.time - 1 } : {};
  const errors = rows.policy.map((policy, answer) => {
    const reference = rows.reference[answer]!;
    return featureError({ policy, reference, tokens: tokens[answer]!, ...divisor }, options);
  });
  const drifts = errors.map(({ distance }) => distance);
  const listed = longestList(options);
  const lists = gradientLists(errors, distanceGradients(fixture, params, drifts), { listed });
  const streamGradient = zeros(hidden.shape);
  const indices = tensor(lists.indices, [errors.length, listed]);
  const coefficients = tensor(lists.coefficients, [errors.length, listed]);
  featurePoolGradient({ ...encoder, ...tables, streamGradient, hidden, indices, coefficients });
  const gradient = [...(await read(streamGradient))];
  dispose([streamGradient, indices, coefficients]);
  return { drifts, gradient };
}

/** Drifts and the gradients of both sides' streams of one fixture file, within a share of the largest of each. */
export async function checkFeatureLosses(name: string, tolerance: number): Promise<void> {
  const open = await openFixture(name);
  const { policyHidden, referenceHidden, encoder, tables, fixture } = open;
  const rows = {
    policy: await pooledRows(open, policyHidden),
    reference: await pooledRows(open, referenceHidden),
  };
  for (const [key, mode] of Object.entries(featureKeys)) {
    const expected = fixture.expected[key]!;
    const { drifts, gradient } = await driftsOf(open, rows, { key, mode });
    const half = gradient.length / 2;
    const compared = {
      chosenDrifts: [drifts.slice(0, drifts.length / 2), expected.featureMseChosen],
      rejectedDrifts: [drifts.slice(drifts.length / 2), expected.featureMseRejected],
      chosenStream: [gradient.slice(0, half), expected.gradChosenHidden],
      rejectedStream: [gradient.slice(half), expected.gradRejectedHidden],
    } as const;
    for (const [what, [actual, wanted]] of Object.entries(compared))
      expectShare(actual, wanted, { label: `${name} ${key}, ${what}`, tolerance });
  }
  dispose([policyHidden, referenceHidden, ...Object.values(encoder), ...Object.values(tables)]);
}

function expectShare(
  actual: readonly number[],
  expected: readonly number[],
  { label, tolerance }: { readonly label: string; readonly tolerance: number },
): void {
  expect(actual.length, label).toBe(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, place) => Math.abs(value - actual[place]!)));
  expect(worst, `${label}: off by ${worst} of ${largest}`).toBeLessThanOrEqual(tolerance * largest);
}
