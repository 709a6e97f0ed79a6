import { beforeAll, describe, expect, it } from "vitest";
import { memory } from "../../tensor/run.ts";
import { openTestDevice, randomSource, randomValues } from "../../tensor/testing.ts";
import type { SaeArrays } from "../layouts/layout.ts";
import { uploadSae } from "../sparseAutoencoder.ts";
import { measureSae } from "./measureSae.ts";
import type { SaeSettings } from "./saeSettings.ts";
import { trainSae, type SaeReport, type SaeTraining } from "./trainSae.ts";

const inputSize = 8;
/** More rows than any feature may be silent for, so that some die within a few steps. */
const settings: SaeSettings = {
  layer: 1,
  width: 40,
  k: 1,
  steps: 8,
  batchRows: 1024,
  learningRate: 0.02,
  seed: 3,
};

/** Rows that are sums of two of `directions` random directions with positive factors. */
function sparseRows(count: number, directions: number) {
  const dictionary = randomValues(1, [directions, inputSize]);
  const random = randomSource(2);
  const values = new Float32Array(count * inputSize);
  for (let row = 0; row < count; row++)
    for (let part = 0; part < 2; part++) {
      const [direction, factor] = [Math.floor(random() * directions), 0.5 + random()];
      for (let i = 0; i < inputSize; i++)
        values[row * inputSize + i]! += factor * dictionary[direction * inputSize + i]!;
    }
  return { values, width: inputSize };
}

const rows = sparseRows(600, 12);
const training: SaeTraining = { settings, rows, heldout: rows, modelName: "tiny", evalEvery: 0 };

interface Followed {
  readonly reports: SaeReport[];
  readonly saved: Map<number, Record<string, Float32Array>>;
}

async function follow(of: SaeTraining): Promise<Followed> {
  const followed: Followed = { reports: [], saved: new Map() };
  for await (const report of trainSae(of)) {
    followed.reports.push(report);
    if (report.kind === "milestone") followed.saved.set(report.step, await report.save());
  }
  return followed;
}

const trained = (reports: readonly SaeReport[]): SaeArrays =>
  reports.flatMap((report) => (report.kind === "evaluation" ? [report.sae] : [])).at(-1)!;
const metricsOf = (reports: readonly SaeReport[], kind: "step" | "evaluation") =>
  reports.flatMap((report) => (report.kind === kind ? [report.metrics] : []));

describe("trainSae", () => {
  beforeAll(async () => {
    await openTestDevice("cpu");
  });

  it("goes on from a saved state as if it had never stopped, bit for bit", async () => {
    const before = memory().numTensors;
    const whole = await follow(training);
    const dead = metricsOf(whole.reports, "step").map((metrics) => metrics["dead"]!);
    // What is saved of silent features counts after the step it is taken from.
    expect(dead[4]).toBeGreaterThan(0);
    const rest = await follow({ ...training, resume: { step: 4, tensors: whole.saved.get(4)! } });
    expect(rest.reports.map(({ kind, step }) => [kind, step])).toEqual(
      whole.reports.filter(({ step }) => step > 4).map(({ kind, step }) => [kind, step]),
    );
    expect(metricsOf(rest.reports, "step")).toEqual(metricsOf(whole.reports, "step").slice(4));
    expect(rest.saved.get(8)).toEqual(whole.saved.get(8));
    expect(trained(rest.reports)).toEqual(trained(whole.reports));
    const forgetful = { ...whole.saved.get(4)!, silentRows: new Float32Array(settings.width) };
    const other = await follow({ ...training, resume: { step: 4, tensors: forgetful } });
    expect(other.saved.get(8)).not.toEqual(whole.saved.get(8));
    expect(memory().numTensors).toBe(before);
  });

  it("evaluates when asked to and after the last step, with the autoencoder that it gives", async () => {
    const { reports } = await follow({ ...training, evalEvery: 3 });
    const evaluations = reports.filter(({ kind }) => kind === "evaluation");
    expect(evaluations.map(({ step }) => step)).toEqual([3, 6, 8]);
    const arrays = trained(reports);
    expect(arrays).toMatchObject({ layer: 1, hook: "blocks.1.hook_resid_post", modelName: "tiny" });
    expect(new Set(arrays.threshold).size).toBe(1);
    const sae = uploadSae(arrays, { needsDecoder: true });
    const { unexplained, l0, dead } = await measureSae(sae, rows);
    sae.dispose();
    expect(metricsOf(reports, "evaluation").at(-1)).toEqual({
      eval_unexplained: unexplained,
      eval_l0: l0,
      eval_dead: dead,
    });
  });

  it("finds sparse parts, with a threshold that keeps about k of them", async () => {
    const longer = { ...settings, width: 24, k: 2, steps: 400, batchRows: 128 };
    const { reports } = await follow({ ...training, settings: longer });
    const { eval_unexplained: unexplained, eval_l0: l0 } = metricsOf(reports, "evaluation").at(-1)!;
    expect(unexplained).toBeLessThan(0.05);
    expect(Math.abs(l0! / longer.k - 1)).toBeLessThan(0.1);
  });

  it("says what a saved state lacks, and frees everything when it is stopped", async () => {
    const before = memory().numTensors;
    const { saved } = await follow({ ...training, settings: { ...settings, steps: 1 } });
    const { silentRows: _, ...tensors } = saved.get(1)!;
    await expect(follow({ ...training, resume: { step: 1, tensors } })).rejects.toThrow(/"silentRows"/);
    const run = trainSae(training);
    await run.next();
    await run.return();
    expect(memory().numTensors).toBe(before);
  });
});

describe("measureSae", () => {
  it("gives the worked example", async () => {
    await openTestDevice("cpu");
    // Feature 0 reads and writes the first number above 1, feature 1 nothing; the second number is never written.
    const sae = uploadSae(
      {
        inputSize: 2,
        width: 2,
        layer: 0,
        hook: "blocks.0.hook_resid_post",
        modelName: null,
        encoder: Float32Array.of(1, 0, 0, 0),
        bias: new Float32Array(2),
        threshold: Float32Array.of(1, 1),
        decoder: Float32Array.of(1, 0, 0, 1),
        decoderBias: new Float32Array(2),
      },
      { needsDecoder: true },
    );
    // Errors 1, 1 and 1 + 1; the mean is (2, 1/3): deviations 6 from the first numbers, 8/3 from the second.
    const found = await measureSae(sae, { values: Float32Array.of(2, 1, 3, -1, 1, 1), width: 2 });
    sae.dispose();
    expect(found.l0).toBeCloseTo(2 / 3, 12);
    expect(found.dead).toBe(0.5);
    expect(found.unexplained).toBeCloseTo(4 / (2 + 8 / 3), 6);
  });
});
