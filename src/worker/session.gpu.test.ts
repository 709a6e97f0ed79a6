/** What the trainer does about errors that only a device reports. */
import { afterAll, expect, it } from "vitest";
import { activeBackend, dispose, zeros } from "../engine/tensor/run.ts";
import type { WorkerEvent } from "./protocol.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

const { session, heard } = openStudio();
const model = { id: "local", files: tinyModelFiles(), weights: "keep" as const };
const config = { ...tinyRunConfig, backend: "webgpu" as const, steps: 1 };

const isEnd = (event: WorkerEvent): event is Extract<WorkerEvent, { type: "phase" }> =>
  event.type === "phase" && ["done", "stopped", "failed"].includes(event.phase);

/** Asks the device for a buffer larger than it can have; every read fails until the error is taken. */
async function askTooMuch(): Promise<void> {
  dispose(zeros([2 ** 40]));
  const backend = activeBackend();
  if ("settled" in backend) await backend.settled();
}

// The next test file opens a device of its own.
afterAll(() => session.open({ backend: "cpu", isSecure: true, injections: [] }));

it("trains, measures and loads again after the device had no room", { timeout: 90_000 }, async () => {
  await session.open({ backend: "webgpu", isSecure: true, injections: [] });
  await session.loadModel(model);
  await session.loadData({
    id: "local",
    objective: "",
    files: [tinyDataFile()],
    maxTokens: 32,
    terminator: "auto",
    layout: "",
    columns: {},
    steps: [],
  });
  await askTooMuch();
  await expect(session.inspectPair({ pairIndex: 0 })).rejects.toBeInstanceOf(Error);
  const { secondsPerStep } = await session.warmUp({ config });
  expect(secondsPerStep).toBeGreaterThan(0);
  await askTooMuch();
  await session.start({ runId: "run", config, resume: null, isStepping: false });
  expect((await heard(isEnd)).phase).toBe("done");
  await askTooMuch();
  expect(await session.loadModel(model)).toMatchObject({ id: "local" });
});
