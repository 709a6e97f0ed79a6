/** Everything that a pass computes over one batch: what any two ways to compute it must agree on. */
import { expect } from "vitest";
import { pairBatch } from "../data/batch.ts";
import { createRandom } from "../data/random.ts";
import { statisticsWidth } from "../kernels/lmHeadLogProbs/lmHeadLogProbs.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { distinctWindows, type ModelConfig } from "../models/config.ts";
import { uploadModel } from "../models/loadModel.ts";
import type { DecoderPass, PassSetup } from "../models/pass.ts";
import { copy, dispose, memory, read, tensor, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { compare } from "../tensor/testing.ts";
import { tinyArrays, tinyConfig, tinyPairs } from "../testing/tinyModel.ts";
import { defaultConfig } from "./config.ts";
import { backward, forward, type BackwardPass, type PassInputs } from "./gradients.ts";
import { uploadBatch, type DeviceBatch } from "./deviceBatch.ts";
import { atOnce } from "./parts.ts";
import { createPolicy, type PolicySettings } from "./policy.ts";
import { randomAdapter } from "./tinyRun.testing.ts";

/** A model and a policy on it. */
export interface PassCase {
  /** What differs from the tiny model. */
  readonly model?: Partial<ModelConfig>;
  /** Weights by the decoder's names; random ones when left out. */
  readonly arrays?: Parameters<typeof uploadModel>[1];
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
  const opened = openCase(testCase);
  const kept: Tensor[] = [];
  try {
    // Nothing waits between the two counts: a case that was given up may still hold tensors and free them.
    const before = memory().numTensors;
    runPass(open, opened, { keeps, kept });
    expect(memory().numTensors - before, "tensors left behind").toBe(kept.length);
    const [hidden = [], statistics = [], gradients = []] = await Promise.all(
      [...kept, opened.sink.flat].map(read),
    );
    const found = new Map([
      [hiddenStates, Float32Array.from(hidden)],
      [logProbs, Float32Array.from(statistics).filter((_, at) => at % statisticsWidth === 0)],
    ]);
    for (const { name, offset, tensor } of opened.sink.trainables) {
      found.set(name, Float32Array.from(gradients.slice(offset, offset + tensor.size)));
    }
    return found;
  } finally {
    dispose(kept);
    opened.dispose();
  }
}

/** A case on the active device. */
interface OpenCase extends Pick<BackwardPass, "model" | "weights" | "sink"> {
  readonly batch: DeviceBatch;
  readonly dispose: () => void;
}

function openCase(testCase: PassCase): OpenCase {
  const config = { ...tinyConfig, ...testCase.model };
  const arrays = testCase.arrays ?? tinyArrays(config);
  const { model, dispose: disposeModel } = uploadModel(config, arrays, testCase.layout);
  const settings = { ...defaultConfig, ...testCase.policy };
  const all = randomAdapter(model, 2, { rank: settings.loraRank, spread: ADAPTER_SPREAD });
  const untouched = Array.from({ length: testCase.untouchedLayers ?? 0 }, (_, layer) => `layers.${layer}.`);
  const initial = new Map([...all].filter(([name]) => !untouched.some((layer) => name.includes(layer))));
  const policy = createPolicy(model, settings, initial);
  const batch = uploadBatch(pairBatch(tinyPairs(PAIRS, config)), distinctWindows(config));
  const { weights, trainables, parameters } = policy;
  const flat = zeros(parameters.theta.shape);
  return {
    model,
    weights,
    batch,
    sink: { flat, trainables },
    dispose: () => {
      dispose(flat);
      batch.dispose();
      policy.dispose();
      disposeModel();
    },
  };
}

/** Adds the gradients to the sink and puts scored hidden states and statistics into `kept`, which the caller frees. */
function runPass(
  open: (setup: PassSetup) => DecoderPass,
  { batch, ...opened }: OpenCase,
  { keeps, kept }: { readonly keeps: BackwardPass["keeps"]; readonly kept: Tensor[] },
): void {
  const pass = { ...opened, keeps };
  const walk = open({ ...pass, rows: batch.rows });
  const held: Tensor[] = [];
  try {
    const head = atOnce(forward(pass, walk, batch, noInputs));
    kept.push(copy(head.inputs.hidden), head.statistics);
    const upstream = randomUpstream(head.statistics);
    held.push(upstream);
    atOnce(backward(pass, walk, { ...head, upstream }, noInputs));
  } finally {
    dispose(held);
    walk.dispose();
  }
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
