/** A reward model that is being trained has the device: whoever else wants it is told so at once, and does not wait without a word. */
import { expect, it, vi } from "vitest";
import { reportError } from "./errorReport.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

vi.setConfig({ testTimeout: 60_000 });

const { session, events, heard } = openStudio();
const device = { backend: "cpu", isSecure: true, injections: [] } as const;
const model = () => ({ id: "local", files: tinyModelFiles(), weights: "keep" }) as const;
const data = () => {
  const how = { maxTokens: 32, terminator: "auto", layout: "", columns: {} } as const;
  return { ...how, id: "local", objective: "", files: [tinyDataFile()], steps: [] };
};
const run = { runId: "run", config: tinyRunConfig, resume: null, isStepping: false };
const settings = {
  label: "Long",
  steps: 100_000,
  batchPairs: 2,
  learningRate: 0.01,
  loraRank: 2,
  loraAlpha: 4,
  centering: 0.01,
  seed: 3,
};
const refusalOf = (asked: Promise<unknown>) =>
  asked.then(
    () => "",
    (error: unknown) => {
      const { code, message } = reportError(error);
      return `${code}: ${message}`;
    },
  );

it("refuses a run and other weights and pairs until it is stopped", async () => {
  await session.open(device);
  await session.loadModel(model());
  await session.loadData(data());
  const trained = refusalOf(Promise.resolve(session.trainRewardModel({ settings })));
  await heard((event): event is (typeof events)[number] => event.type === "rewardModel" && event.step > 1);
  const sentence =
    /^RUN-1: A reward model is being trained \(step [1-9]\d* of 100000\): stop it on the Judges tab first, or wait\.$/;
  for (const ask of [
    () => session.start(run),
    () => session.loadModel(model()),
    () => session.loadData(data()),
    () => session.open(device),
  ]) {
    expect(await refusalOf(Promise.resolve(ask()))).toMatch(sentence);
  }
  await session.stopRewardModel(null);
  // One that ends is waited for.
  await session.start(run);
  expect(await trained).toContain("The training was stopped");
  await heard((event): event is (typeof events)[number] => event.type === "phase" && event.phase === "done");
  await session.loadData(data());
});
