import { expect, it, vi } from "vitest";
import { GpuOutOfMemoryError } from "../engine/tensor/errors.ts";
import type { Checkpoint, WorkerEvent } from "./protocol.ts";
import { openStudio, tinyDataFile, tinyModelFiles, tinyRunConfig } from "./tinyStudio.testing.ts";

/** How many more probes of a largest batch find no room. */
let failures = 0;

vi.mock(import("../engine/training/stepRunner.ts"), async (original) => {
  const { createStepRunner } = await original();
  return {
    createStepRunner: () => ({
      ...createStepRunner(),
      probe: () => {
        if (failures === 0) return Promise.resolve();
        failures -= 1;
        return Promise.reject(new GpuOutOfMemoryError("no room for 412 MB"));
      },
    }),
  };
});

type EventOf<Type extends WorkerEvent["type"]> = Extract<WorkerEvent, { type: Type }>;

const { session, events, heard } = openStudio();

/** Trains with so many failing probes and returns what the run said of its memory and its end. */
async function outcome(probesThatFail: number, resume: Checkpoint | null = null) {
  await session.open({ backend: "cpu", isSecure: true, injections: [] });
  await session.loadModel({ id: "local", files: tinyModelFiles(), weights: "keep" });
  const { maxTokens, terminator } = tinyRunConfig;
  const files = [tinyDataFile()];
  await session.loadData({
    id: "local",
    objective: "",
    files,
    maxTokens,
    terminator,
    layout: "",
    columns: {},
    steps: [],
  });
  events.length = 0;
  failures = probesThatFail;
  await session.start({ runId: "run", config: tinyRunConfig, resume, isStepping: false });
  const isEnd = (event: WorkerEvent): event is EventOf<"phase"> =>
    event.type === "phase" && ["done", "failed"].includes(event.phase);
  const { phase } = await heard(isEnd);
  const rooms = events.filter((event): event is EventOf<"room"> => event.type === "room");
  return { phase, rooms: rooms.map(({ room }) => room) };
}

it("computes layers again when whole ones find no room, and says so before the first step", async () => {
  const { phase, rooms } = await outcome(1);
  expect(phase).toBe("done");
  expect(rooms).toMatchObject([{ keeps: "layerInputs", reason: "noRoom" }]);
  const types = events.map(({ type }) => type);
  expect(types.indexOf("room")).toBeLessThan(types.indexOf("steps"));
});

it("ends with MEM-1 before the first step when neither way finds room", async () => {
  const { phase, rooms } = await outcome(2);
  expect(phase).toBe("failed");
  expect(rooms).toEqual([]);
  expect(events.at(-1)).toMatchObject({
    type: "failed",
    step: 0,
    lastGoodStep: null,
    error: { code: "MEM-1", message: "no room for 412 MB" },
  });
});
