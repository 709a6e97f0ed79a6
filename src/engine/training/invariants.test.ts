/** What must hold of every training run, whatever it learns. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { flatBatch } from "../data/batch.ts";
import { generate } from "../generation/generate.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { headName, type Model } from "../models/decoder.ts";
import { parameter, referenceWeights, type Weights } from "../models/weights.ts";
import { createReferenceCache } from "../reference/referenceCache.ts";
import { dispose, memory, read, tensor } from "../tensor/run.ts";
import { compare, openTestDevice } from "../tensor/testing.ts";
import { createTinyModel, tinyPairs } from "../testing/tinyModel.ts";
import { loraModules, type RunConfig } from "./config.ts";
import { EmptyResultError, NonFiniteLossError } from "./numericErrors.ts";
import { atOnce } from "./parts.ts";
import { createPolicy } from "./policy.ts";
import { learningRateAt } from "./schedule.ts";
import { uploadBatch } from "./deviceBatch.ts";
import { scoreBatch, scoredStates, type EntryStatistics } from "./scoring.ts";
import {
  follow,
  lastOf,
  parametersOf,
  randomAdapter,
  tinyRun,
  type FollowedRun,
  type Saved,
} from "./tinyRun.testing.ts";
import { train, type TrainingReport } from "./train.ts";

// Every run here takes well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

let tiny: ReturnType<typeof createTinyModel>;
let model: Model;

beforeEach(async () => {
  await openTestDevice("cpu");
  tiny = createTinyModel();
  ({ model } = tiny);
});

afterEach(() => {
  tiny.dispose();
});

/** Compares two states or records name by name, allowing a difference in absolute terms. */
function expectClose(
  actual: Readonly<Record<string, Float32Array | number>>,
  expected: typeof actual,
  allowed: number,
) {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    const values = typeof value === "number" ? [value] : [...value];
    const found = actual[name];
    const others = found instanceof Float32Array ? found : [found ?? NaN];
    const worst = Math.max(...values.map((number, index) => Math.abs(number - (others[index] ?? NaN))));
    expect(worst, `${name}: ${worst}`).toBeLessThanOrEqual(allowed);
  }
}

/** Every metric but those that count or time. */
function expectSameMetrics(actual: FollowedRun, expected: FollowedRun, allowed: number) {
  expect(actual.steps.length).toBe(expected.steps.length);
  expected.steps.forEach((metrics, step) => {
    expectClose(actual.steps[step] ?? {}, metrics, allowed);
  });
}

async function baseValues(of: Model): Promise<Record<string, Float32Array>> {
  const values: Record<string, Float32Array> = {};
  for (const name of of.base.keys()) values[name] = Float32Array.from(await read(parameter(of, name)));
  return values;
}

describe("how a step is cut up", () => {
  it.each(["dpo", "simpo", "sft"])("%s: 8 pairs at once are 1 pair 8 times", async (method) => {
    const whole = await follow(tinyRun(model, { method, batchPairs: 8, accumulationSteps: 1 }));
    const parts = await follow(tinyRun(model, { method, batchPairs: 1, accumulationSteps: 8 }));
    expectSameMetrics(parts, whole, 2e-6);
    expectClose(lastOf(parts), lastOf(whole), 2e-6);
  });

  it("the order of the pairs within a step changes nothing", async () => {
    const trainPairs = tinyPairs(4);
    const settings = { isShuffled: false };
    const forward = await follow(tinyRun(model, settings, { trainPairs }));
    const backward = await follow(tinyRun(model, settings, { trainPairs: trainPairs.toReversed() }));
    expectSameMetrics(backward, forward, 2e-6);
    expectClose(lastOf(backward), lastOf(forward), 2e-6);
  });

  it("batch-mates and batch size change no log-prob and no evaluated pair", async () => {
    const policy = createPolicy(model, tinyRun(model).config, randomAdapter(model, 3));
    const sequenceOf = ({ prompt, chosen }: ReturnType<typeof tinyPairs>[number]) => ({
      tokens: Int32Array.from([...prompt, ...chosen]),
      scoredFrom: prompt.length,
    });
    const pairs = tinyPairs(5);
    const together = uploadBatch(flatBatch(pairs.map(sequenceOf)));
    const { logps } = await scoreBatch(model, policy.weights, together);
    for (const [sequence, pair] of pairs.entries()) {
      const alone = uploadBatch(flatBatch([sequenceOf(pair)]));
      const own = logps.filter((_, entry) => together.flat.entrySequence[entry] === sequence);
      expect((await scoreBatch(model, policy.weights, alone)).logps).toEqual(own);
      alone.dispose();
    }
    together.dispose();
    policy.dispose();

    const initialAdapter = randomAdapter(model, 3);
    const [single, all] = await Promise.all(
      [1, 4].map((batchPairs) => follow(tinyRun(model, { batchPairs, steps: 1 }, { initialAdapter }))),
    );
    expect(single?.evaluations[0]?.chosenDelta).toEqual(all?.evaluations[0]?.chosenDelta);
    expect(single?.evaluations[0]?.rejectedDelta).toEqual(all?.evaluations[0]?.rejectedDelta);
    expectClose(single?.evaluations[0]?.metrics ?? {}, all?.evaluations[0]?.metrics ?? {}, 1e-9);
  });

  it("the micro-batches of a step drop different inputs", async () => {
    const seen: Float64Array[] = [];
    const tamper = (_step: number, entries: EntryStatistics) => {
      seen.push(entries.logps);
      return entries;
    };
    const settings = { batchPairs: 1, accumulationSteps: 2, loraDropout: 0.5, steps: 2 };
    const parts = { trainPairs: tinyPairs(1), initialAdapter: randomAdapter(model, 4), tamper };
    const first = await follow(tinyRun(model, settings, parts));
    expect(new Set(seen.map(String)).size).toBe(4);
    const second = await follow(tinyRun(model, settings, parts));
    expect(seen.slice(4)).toEqual(seen.slice(0, 4));
    expect(lastOf(second)).toEqual(lastOf(first));
  });
});

describe("a run", () => {
  const uneven = { isShuffled: true, loraDropout: 0.2, steps: 6, batchPairs: 3, accumulationSteps: 2 };

  it.each(["lora", "full"] as const)("%s: goes on from a saved state as if never cut", async (tuning) => {
    const settings: Partial<RunConfig> = {
      ...uneven,
      tuning,
      schedule: "cosine",
      warmupSteps: 2,
      maxGradNorm: 0.5,
      weightDecay: 0.1,
    };
    const whole = await follow(tinyRun(model, settings));
    const tensors = whole.saved.get(3) ?? {};
    const rest = await follow(tinyRun(model, settings, { resume: { step: 3, tensors } }));
    expect(rest.steps).toEqual(whole.steps.slice(3));
    expect(rest.saved.get(3)).toEqual(tensors);
    expect(lastOf(rest)).toEqual(lastOf(whole));
    expect(rest.evaluations.at(-1)).toEqual(whole.evaluations.at(-1));
  });

  it("has nothing left to do after its last step", async () => {
    const tensors = lastOf(await follow(tinyRun(model, { steps: 1 })));
    const kinds: string[] = [];
    for await (const { kind } of train(tinyRun(model, { steps: 1 }, { resume: { step: 1, tensors } }))) {
      if (kind !== "reference") kinds.push(kind);
    }
    expect(kinds).toEqual(["milestone"]);
  });

  it("refuses first values of another rank, which would run into one another", () => {
    const before = memory().numTensors;
    const initialAdapter = randomAdapter(model, 3, { rank: 3 });
    expect(() => createPolicy(model, tinyRun(model).config, initialAdapter)).toThrow("is [2, 16], given 48");
    expect(memory().numTensors).toBe(before);
  });

  it("refuses to go on from a state of another shape", async () => {
    const whole = await follow(tinyRun(model, { steps: 1 }));
    const before = memory().numTensors;
    const run = tinyRun(model, { loraRank: 3 }, { resume: { step: 1, tensors: lastOf(whole) } });
    await expect(follow(run)).rejects.toThrow(/checkpoint has 32 values/);
    expect(memory().numTensors).toBe(before);
  });

  it("depends on its seed and on nothing else", async () => {
    const first = await follow(tinyRun(model, uneven));
    const again = await follow(tinyRun(model, uneven));
    expect(again).toEqual(first);
    const other = await follow(tinyRun(model, { ...uneven, seed: 8 }));
    // The first loss is ln 2 whatever the seed.
    expect(other.steps[1]?.["loss"]).not.toBe(first.steps[1]?.["loss"]);
    for (const [name, values] of Object.entries(parametersOf(lastOf(first)))) {
      expect(lastOf(other)[name], name).not.toEqual(values);
    }
  });

  it("starts at ln 2 and at the reference, because B = 0 changes nothing", async () => {
    const { steps, evaluations } = await follow(tinyRun(model));
    expect(steps[0]).toMatchObject({ "margins/logratio": 0, "rewards/margins": 0, "rewards/accuracies": 0 });
    expect(steps[0]?.["loss"]).toBeCloseTo(Math.LN2, 12);
    expect(evaluations[0]?.metrics).toMatchObject({ "eval_margins/logratio": 0, "eval_kl/chosen": 0 });
    expect(evaluations[0]?.chosenDelta).toEqual(new Float32Array(4));
    expect(evaluations[0]?.rejectedDelta).toEqual(new Float32Array(4));
    expect(evaluations.at(-1)?.metrics["eval_kl/chosen"]).toBeGreaterThan(0);
    // The pairs' own log-probs have the mean that the metric has.
    const { metrics, scores } = evaluations.at(-1)!;
    for (const side of ["chosen", "rejected"] as const) {
      const logps = scores[`${side}Logps`];
      const mean = logps.reduce((sum, logp) => sum + logp, 0) / logps.length;
      expect(mean).toBeCloseTo(metrics[`eval_logps/${side}`]!, 4);
    }
    // Dropout runs on other kernels than the reference, which round otherwise.
    const dropped = await follow(tinyRun(model, { loraDropout: 0.3, steps: 1 }));
    expect(dropped.steps[0]?.["loss"]).toBeCloseTo(Math.LN2, 6);
  });

  it.each([
    ["dpo", 0.02],
    ["simpo", 0.02],
    ["sft", 0.05],
  ])("%s: learns one pair by heart", async (method, reached) => {
    const settings = { method, steps: 60, batchPairs: 1, learningRate: 0.03 };
    const { steps } = await follow(tinyRun(model, settings, { trainPairs: tinyPairs(1) }));
    expect(steps.at(-1)?.["loss"]).toBeLessThan(reached);
    expect(steps.at(-1)?.["rewards/accuracies"]).toBe(1);
  });

  it("keeps every bit of its parameters at learning rate 0", async () => {
    for (const tuning of ["lora", "full"] as const) {
      const still = await follow(tinyRun(model, { tuning, learningRate: 0, weightDecay: 0.1 }));
      expect(parametersOf(lastOf(still))).toEqual(parametersOf(still.saved.get(0) ?? {}));
      expect(still.steps[0]?.["grad_norm"]).toBeGreaterThan(0);
    }
  });

  it("follows a learning rate that is changed while it goes on", async () => {
    const run = tinyRun(model, { steps: 4, schedule: "constant" });
    const rates: (number | undefined)[] = [];
    for await (const report of train(run)) {
      if (report.kind !== "step") continue;
      rates.push(report.metrics["learning_rate"]);
      if (report.step === 2) run.live.learningRate = 0.5;
    }
    expect(rates).toEqual([0.01, 0.01, 0.5, 0.5]);
  });
});

describe("what trains", () => {
  it("in SFT is the chosen answers alone", async () => {
    const trainPairs = tinyPairs(4);
    const rejected = tinyPairs(4, { seed: 9 });
    const swapped = trainPairs.map((pair, index) => ({
      ...pair,
      rejected: rejected[index]?.rejected ?? pair.rejected,
    }));
    const settings = { method: "sft" };
    const first = await follow(tinyRun(model, settings, { trainPairs }));
    const second = await follow(tinyRun(model, settings, { trainPairs: swapped }));
    expect(lastOf(second)).toEqual(lastOf(first));
    expect(second.steps.map((metrics) => metrics["loss"])).toEqual(first.steps.map(({ loss }) => loss));
  });

  it.each([...loraModules, "q_proj down_proj"])(
    "with LoRA on %s is that and nothing else",
    async (targets) => {
      const loraTargets = loraModules.filter((module) => targets.includes(module));
      const { saved } = await follow(tinyRun(model, { loraTargets, steps: 2 }));
      const names = Object.keys(parametersOf(saved.get(2) ?? {}));
      const expected = [0, 1].flatMap((layer) =>
        [...model.base.keys()]
          .filter(
            (name) =>
              name.startsWith(`model.layers.${layer}.`) &&
              loraTargets.some((target) => name.includes(`.${target}.`)),
          )
          .flatMap((name) =>
            ["A", "B"].map((factor) => `${name.replace(/\.weight$/, "")}.lora_${factor}.weight`),
          ),
      );
      expect(names).toEqual(expected);
      expect(names).toHaveLength(4 * loraTargets.length);
      for (const name of names) expect(saved.get(2)?.[name], name).not.toEqual(saved.get(0)?.[name]);
    },
  );

  it.each([true, false])("in full tuning is a copy of every weight (tied head: %s)", async (isTied) => {
    const other = createTinyModel({ hasTiedEmbeddings: isTied });
    const before = await baseValues(other.model);
    const { saved, steps, evaluations } = await follow(tinyRun(other.model, { tuning: "full" }));
    expect(await baseValues(other.model)).toEqual(before);
    expect(Object.keys(parametersOf(saved.get(3) ?? {})).toSorted()).toEqual(Object.keys(before).toSorted());
    for (const [name, values] of Object.entries(before)) {
      expect(saved.get(0)?.[name], name).toEqual(values);
      expect(saved.get(3)?.[name], name).not.toEqual(values);
    }
    expect(steps[0]?.["loss"]).toBeCloseTo(Math.LN2, 12);
    // The head that would tell the reference's distribution is being trained: there is no KL to report.
    expect(Object.keys(evaluations.at(-1)?.metrics ?? {}).filter((name) => name.includes("kl"))).toEqual([]);
    other.dispose();
  });

  it("leaves the base alone when adapters train", async () => {
    const before = await baseValues(model);
    await follow(tinyRun(model));
    expect(await baseValues(model)).toEqual(before);
  });

  it("gives the same logits merged into the weights", async () => {
    const run = tinyRun(model);
    const policy = createPolicy(model, run.config, randomAdapter(model, 5));
    const merged = new Map(model.base);
    const made: ReturnType<typeof tensor>[] = [];
    for (const [module, { a, b, scale }] of policy.weights.adapters) {
      const weight = parameter(model, `${module}.weight`);
      const sum = tensor(mergedValues(await read(weight), await read(a), await read(b), scale), weight.shape);
      made.push(sum);
      merged.set(`${module}.weight`, sum);
    }
    const tokens = Int32Array.from([1, 5, 9, 30, 12, 7, 40]);
    const logitsOf = async (weights: Weights) => {
      const batch = uploadBatch(flatBatch([{ tokens, scoredFrom: 1 }]));
      const hidden = atOnce(scoredStates(model, weights, batch));
      const logits = matmul(hidden, parameter(weights, headName(model.config)), { form: "abt" });
      const values = await read(logits);
      batch.dispose();
      dispose([hidden, logits]);
      return values;
    };
    const unmerged = await logitsOf(policy.weights);
    compare(await logitsOf(referenceWeights({ base: merged, stacks: new Map() })), unmerged, {
      label: "logits",
      tolerance: 1e-5,
    });
    expect(() =>
      compare(new Float32Array(unmerged.length), unmerged, { label: "zeros", tolerance: 1e-5 }),
    ).toThrow("zeros");
    const untouched = await logitsOf(referenceWeights(model));
    expect(() => compare(untouched, unmerged, { label: "base", tolerance: 1e-2 })).toThrow("base");
    dispose(made);
    policy.dispose();
  });
});

/** W + scale · B A, in float64: weight [out, in], a [rank, in], b [out, rank]. */
function mergedValues(
  weight: ArrayLike<number>,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  scale: number,
): Float32Array {
  const rank = 2;
  const inputs = a.length / rank;
  return Float32Array.from(weight, (value, index) => {
    const [row, column] = [Math.floor(index / inputs), index % inputs];
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += (b[row * rank + r] ?? NaN) * (a[r * inputs + column] ?? NaN);
    return value + scale * sum;
  });
}

describe("the optimizer's settings", () => {
  it("clip the gradient before the moments see it", async () => {
    const limit = 0.05;
    const free = await follow(tinyRun(model, { steps: 1, maxGradNorm: 0 }));
    const clipped = await follow(tinyRun(model, { steps: 1, maxGradNorm: limit }));
    const norm = free.steps[0]?.["grad_norm"] ?? NaN;
    expect(norm).toBeGreaterThan(2 * limit);
    expect(clipped.steps[0]?.["grad_norm"]).toBe(norm);
    const factor = limit / (norm + 1e-6);
    const scaled = (saved: Saved, suffix: string, by: number) =>
      Object.fromEntries(
        Object.entries(saved)
          .filter(([name]) => name.endsWith(suffix))
          .map(([name, values]) => [name, values.map((value) => by * value)]),
      );
    expectClose(scaled(lastOf(clipped), ".exp_avg", 1), scaled(lastOf(free), ".exp_avg", factor), 1e-9);
    expectClose(
      scaled(lastOf(clipped), ".exp_avg_sq", 1),
      scaled(lastOf(free), ".exp_avg_sq", factor * factor),
      1e-9,
    );
    const loose = await follow(tinyRun(model, { steps: 1, maxGradNorm: 2 * norm }));
    expect(lastOf(loose)).toEqual(lastOf(free));
  });

  it.each(["constant", "linear", "cosine"] as const)(
    "%s schedule and warm-up are what is used",
    async (schedule) => {
      const settings = { schedule, warmupSteps: 2, steps: 5 };
      const { steps, saved } = await follow(tinyRun(model, settings));
      const expected = [1, 2, 3, 4, 5].map((step) =>
        learningRateAt(step, { ...settings, learningRate: 0.01 }),
      );
      expect(steps.map((metrics) => metrics["learning_rate"])).toEqual(expected);
      expect(expected[1]).toBe(0.005);
      // The first warm-up step has rate 0, so it moves nothing.
      expect(parametersOf(saved.get(1) ?? {})).toEqual(parametersOf(saved.get(0) ?? {}));
      expect(parametersOf(saved.get(2) ?? {})).not.toEqual(parametersOf(saved.get(1) ?? {}));
    },
  );

  it("count tokens of the step and of the run", async () => {
    const run = tinyRun(model, { steps: 3 });
    const tokens: number[] = [];
    const totals: (number | undefined)[] = [];
    for await (const report of train(run)) {
      if (report.kind !== "step") continue;
      tokens.push(report.tokens);
      totals.push(report.metrics["num_tokens"]);
    }
    const all = run.trainPairs.reduce(
      (sum, { prompt, chosen, rejected }) => sum + 2 * prompt.length + chosen.length + rejected.length,
      0,
    );
    expect((tokens[0] ?? 0) + (tokens[1] ?? 0)).toBe(all);
    expect(totals).toEqual([tokens[0], all, all + (tokens[2] ?? 0)]);
  });
});

describe("device memory", () => {
  it("stays the same for 200 steps and is given back", async () => {
    const before = memory().numTensors;
    const counts = new Set<number>();
    const settings = { steps: 200, batchPairs: 1, accumulationSteps: 2, loraDropout: 0.1, evalEvery: 50 };
    for await (const report of train(tinyRun(model, settings))) {
      if (report.kind === "milestone") counts.add(memory().numTensors);
    }
    expect(counts.size).toBe(1);
    expect(memory().numTensors).toBe(before);
  });

  it.each(["reference", "evaluating", "evaluation", "step", "milestone"] as const)(
    "is given back when the run is stopped at its first report of %s",
    async (kind: TrainingReport["kind"]) => {
      const before = memory().numTensors;
      const reports = train(tinyRun(model, { loraDropout: 0.1 }));
      for (;;) {
        const { value, done } = await reports.next();
        if (done === true) throw new Error(`No report of ${kind}`);
        if (value.kind === kind) break;
      }
      expect(memory().numTensors).toBeGreaterThan(kind === "reference" ? before : before + 1);
      await reports.return();
      expect(memory().numTensors).toBe(before);
    },
  );

  const filled = (value: number) => (step: number, entries: EntryStatistics) =>
    step === 2 ? { ...entries, logps: entries.logps.map(() => value) } : entries;

  it.each([
    ["dpo", NaN, NonFiniteLossError],
    ["sft", NaN, NonFiniteLossError],
    ["sft", -Infinity, NonFiniteLossError],
    ["dpo", 0, EmptyResultError],
    ["sft", 0, EmptyResultError],
  ])("is given back when %s meets log-probs of %s, and the step is named", async (method, value, kind) => {
    const before = memory().numTensors;
    const run = tinyRun(model, { method }, { tamper: filled(value) });
    const failure: unknown = await follow(run).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(kind);
    expect(failure).toMatchObject({ step: 2 });
    expect(memory().numTensors).toBe(before);
  });

  it("is given back when a gradient overflows", async () => {
    const before = memory().numTensors;
    const run = tinyRun(model);
    const compute: typeof run.objective.compute = (...inputs) => {
      const result = run.objective.compute(...inputs);
      return { ...result, chosenGradient: result.chosenGradient.map(() => 1e30) };
    };
    const failing = { ...run, objective: { ...run.objective, compute } };
    await expect(follow(failing)).rejects.toThrow("The gradient norm is not a number at step 1.");
    expect(memory().numTensors).toBe(before);
  });

  it("is given back by generation", async () => {
    const before = memory().numTensors;
    const prompts = [Int32Array.of(1, 4), Int32Array.of(1, 4, 9, 11)];
    const options = { maxNewTokens: 5, temperature: 1, seed: 1, stopTokenIds: [2] };
    await generate(model, referenceWeights(model), prompts, options);
    expect(memory().numTensors).toBe(before);
  });

  it("holds no reference twice: a second run scores nothing again", async () => {
    const reference = createReferenceCache();
    const kinds = async () => {
      const seen: string[] = [];
      for await (const { kind } of train(tinyRun(model, { steps: 2 }, { reference }))) seen.push(kind);
      return seen;
    };
    expect(await kinds()).toContain("reference");
    expect(await kinds()).not.toContain("reference");
  });
});
