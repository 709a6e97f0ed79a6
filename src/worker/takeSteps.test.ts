/** Steps of the embedded sets, with the embedded model and its judges. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { pairKey, createReferenceCache, shippedRecords } from "../engine/reference/referenceCache.ts";
import { judges } from "../engine/judges/index.ts";
import { loadModel, type LoadedModel } from "../engine/models/loadModel.ts";
import { textOf } from "../engine/data/row.ts";
import type { DataStep } from "../engine/data/steps/dataStep.ts";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { reportError } from "./errorReport.ts";
import { embeddedModelFiles, loadData, weightsFingerprint } from "./library.ts";

// Every case takes well under a second on an idle machine.
vi.setConfig({ testTimeout: 30_000 });

const fetchFile = (path: string) => Promise.resolve(new Uint8Array(readFileSync(`public/${path}`)));

// Every load reads and tokenises a whole set.
vi.setConfig({ testTimeout: 30_000 });

let loaded: LoadedModel;
let weights: string;

beforeAll(async () => {
  await openTestDevice("cpu");
  const files = await embeddedModelFiles("story", fetchFile);
  loaded = await loadModel(files);
  weights = await weightsFingerprint(files);
});

function load(steps: readonly DataStep[], id = "kind-endings", objective = "") {
  const question = {
    id,
    objective,
    files: null,
    maxTokens: 128,
    terminator: "auto" as const,
    layout: "",
    columns: {},
    steps: [...steps],
  };
  return loadData(question, loaded, { fetchFile });
}

describe("steps of an embedded set", () => {
  it("leave the shipped reference to every pair that they do not change", async () => {
    const { train, heldout, shipped, trainRows, summary } = await load([
      { kind: "flip", share: 0.25, seed: 1 },
    ]);
    const known = createReferenceCache(shippedRecords(shipped, weights));
    const missing = new Set(known.missing([...train, ...heldout]).map(pairKey));
    const swapped = train.filter(({ row }) => trainRows[row]?.madeBy === "answers swapped");
    expect(swapped).toHaveLength(160);
    // A swapped pair that the set also has the other way round is known.
    expect(missing).toEqual(new Set(swapped.map(pairKey)));
    expect(summary).toMatchObject({
      trainPairs: 640,
      readPairs: 800,
      steps: [
        { kind: "flip", sentence: "Swapped the answers of 160 of 640 training pairs.", trainPairs: 640 },
      ],
    });
  });

  it("mix in another objective with its own judge and its own shipped reference", async () => {
    const mix: DataStep = {
      kind: "mix",
      data: "helpful-harmless",
      objective: "harmless",
      share: 0.25,
      seed: 3,
    };
    const { train, heldout, shipped, trainRows, judge, summary } = await load(
      [mix],
      "helpful-harmless",
      "helpful",
    );
    const known = createReferenceCache(shippedRecords(shipped, weights));
    expect(known.missing([...train, ...heldout])).toEqual([]);
    expect([summary.judge, judge]).toEqual([judges.helpful.label, judges.helpful]);
    const from = (objective: string) => trainRows.filter((row) => row.objective === objective).length;
    expect([from("helpful"), from("harmless")]).toEqual([480, 160]);
    for (const { row, rewardGap } of train) {
      const { prompt, chosen, rejected, objective } = trainRows[row]!;
      const own = objective === "harmless" ? judges.harmless : judges.helpful;
      const score = (answer: typeof chosen) => own.score(textOf(prompt), textOf(answer));
      expect(rewardGap).toBe(score(chosen) - score(rejected));
    }
    const kind = await load([{ ...mix, share: 0.1 }]);
    const both = createReferenceCache(shippedRecords(kind.shipped, weights));
    expect(both.missing([...kind.train, ...kind.heldout])).toEqual([]);
  });

  it("relabel by the judge's scores, and the gap is that of the goal", async () => {
    const { train, trainRows, summary } = await load([{ kind: "relabel" }]);
    expect(train.length).toBe(summary.steps[0]?.trainPairs);
    expect(train.length).toBeGreaterThan(1200);
    expect(train.every(({ rewardGap = 0 }) => rewardGap > 0)).toBe(true);
    const [kept, turned] = trainRows;
    expect([turned?.chosen, turned?.rejected]).toEqual([kept?.rejected, kept?.chosen]);
    expect(summary.steps[0]?.sentence).toMatch(/^Wrote \d+ training pairs under two goals each/);
  });

  it("select diverse pairs by what the model makes of them", async () => {
    const subset: DataStep = { kind: "subset", pairs: 10, by: "random", seed: 2 };
    const alike = await load([subset, { kind: "select", pairs: 10, similarity: 1 }]);
    const diverse = await load([subset, { kind: "select", pairs: 10, similarity: 0.5 }]);
    expect(alike.train).toHaveLength(10);
    expect(diverse.train.length).toBeGreaterThan(0);
    expect(diverse.train.length).toBeLessThan(10);
    expect(diverse.summary.steps[1]?.sentence).toContain("the judge's score of the chosen answer");
  });

  it("are refused with a sentence where they cannot be taken", async () => {
    const refusal = async (step: DataStep) =>
      reportError(await load([step]).catch((error: unknown) => error));
    const mix = { kind: "mix", data: "elsewhere", objective: "", share: 0.5, seed: 0 } as const;
    expect(await refusal(mix)).toMatchObject({
      code: "CFG-1",
      message: 'Step 1 (mix): There is no embedded set "elsewhere" to mix in: choose another.',
    });
    expect((await refusal({ ...mix, data: "kind-endings" })).message).toContain("is the set itself");
    expect((await refusal({ ...mix, data: "helpful-harmless", objective: "funny" })).message).toContain(
      'with an objective "funny"',
    );
  });
});
