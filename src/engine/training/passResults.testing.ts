/** Everything that a pass computes over one batch: what any two ways to compute it must agree on. */
import { expect } from "vitest";
import { pairBatch } from "../data/batch.ts";
import { createRandom } from "../data/random.ts";
import { statisticsWidth } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { distinctWindows, type ModelConfig } from "../models/config.ts";
import { uploadModel } from "../models/loadModel.ts";
import type { DecoderPass, PassSetup } from "../models/pass.ts";
import { dispose, memory, read, tensor, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { compare } from "../tensor/testing.ts";
import { tinyArrays, tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import { defaultConfig } from "./config.ts";
import { backward, forward, type BackwardPass, type PassInputs } from "./gradients.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { atOnce } from "./parts.ts";
import { createPolicy, type PolicySettings } from "./policy.ts";
import { randomAdapter } from "./tinyRun.testing.ts";

/** A model and a policy on it. */
export interface PassCase {
  /** What differs from the tiny model. */
  readonly model?: Partial<ModelConfig>;
  readonly layout?: WeightLayout;
  /** What differs from adapters of rank 8 on all modules; the adapters' values are random, B as well. */
  readonly policy?: Partial<PolicySettings>;
  /** Layers, from the first, whose adapters are left as they start, with B at zero. */
  readonly untouchedLayers?: number;
}

/** Scored hidden states, log-probs and all gradients by their names. */
export type PassResults = ReadonlyMap<string, Float32Array>;

/** Names in `PassResults` beside those of parameters. */
const hiddenStates = "scored hidden states";
const logProbs = "log-probs";

const PAIRS = 3;
const noInputs: PassInputs = { states: null, pool: null };
/** Small enough that adapters change the model without drowning it. */
const ADAPTER_SPREAD = 0.1;

/** Runs a pass forward and backward, under random gradients of the log-probs; all that it took is given back. */
export async function passResults(
  open: (setup: PassSetup) => DecoderPass,
  testCase: PassCase,
  keeps: BackwardPass["keeps"] = "layerInputs",
): Promise<PassResults> {
  const config = { ...tinyConfig, ...testCase.model };
  const { model, dispose: disposeModel } = uploadModel(config, tinyArrays(config), testCase.layout);
  const settings = { ...defaultConfig, ...testCase.policy };
  const all = randomAdapter(model, 2, { rank: settings.loraRank, spread: ADAPTER_SPREAD });
  const untouched = Array.from({ length: testCase.untouchedLayers ?? 0 }, (_, layer) => `layers.${layer}.`);
  const initial = new Map([...all].filter(([name]) => !untouched.some((layer) => name.includes(layer))));
  const policy = createPolicy(model, settings, initial);
  const { weights, trainables } = policy;
  const flat = pairBatch(tinyPairs(PAIRS, config));
  const batch = uploadBatch(flat, distinctWindows(config));
  const sink = { flat: zeros(policy.parameters.theta.shape), trainables };
  const pass = { model, weights, keeps, sink };
  const before = memory().numTensors;
  const walk = open({ ...pass, rows: batch.rows });
  const head = atOnce(forward(pass, walk, batch, noInputs));
  const upstream = randomUpstream(head.statistics);
  const found = new Map([
    [hiddenStates, Float32Array.from(await read(head.inputs.hidden))],
    [logProbs, Float32Array.from(await read(head.statistics)).filter((_, at) => at % statisticsWidth === 0)],
  ]);
  atOnce(backward(pass, walk, { ...head, upstream }, noInputs));
  dispose([head.statistics, upstream]);
  walk.dispose();
  expect(memory().numTensors, "tensors left behind").toBe(before);
  const gradients = Float32Array.from(await read(sink.flat));
  for (const { name, offset, tensor } of trainables) {
    found.set(name, gradients.slice(offset, offset + tensor.size));
  }
  dispose(sink.flat);
  batch.dispose();
  policy.dispose();
  disposeModel();
  return found;
}

/** Compares two results name by name, within a share of each array's largest magnitude. */
export function expectAgreement(actual: PassResults, expected: PassResults, tolerance: number): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, values] of expected) {
    expect(
      values.some((value) => value !== 0),
      `${name} is zero`,
    ).toBe(true);
    compare(actual.get(name) ?? new Float32Array(), values, { label: name, tolerance });
  }
}

function randomUpstream({ shape, size }: Tensor): Tensor {
  const random = createRandom(3);
  const values = Float32Array.from({ length: size }, (_, at) =>
    at % statisticsWidth === 0 ? random.gaussian() : 0,
  );
  return tensor(values, shape);
}
