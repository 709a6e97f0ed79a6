import { afterEach, beforeEach, expect, it } from "vitest";
import { openTestDevice } from "../engine/tensor/testing.ts";
import { createTinyModel } from "../engine/testing/tinyModel.ts";
import type { RunConfig } from "../engine/training/config.ts";
import { tinyRun } from "../engine/training/tinyRun.testing.ts";
import { stepRoom } from "./stepRoom.ts";

let tiny: ReturnType<typeof createTinyModel>;

beforeEach(async () => {
  await openTestDevice("cpu");
  tiny = createTinyModel();
});

afterEach(() => {
  tiny.dispose();
});

/** What is said of a run that keeps its layers so; `hiddenSize` makes them large. */
function roomOf(keeps: "everything" | "layerInputs", changes: Partial<RunConfig> = {}, hiddenSize = 16) {
  const { model } = tiny;
  const run = tinyRun({ ...model, config: { ...model.config, hiddenSize } }, changes);
  return stepRoom(run, { kind: "ready", keeps, bytes: 5000 });
}

it("tells why layers are kept or computed again", () => {
  expect(roomOf("everything")).toMatchObject({ keeps: "everything", reason: "small", bytes: 5000 });
  expect(roomOf("layerInputs").reason).toBe("noRoom");
  expect(roomOf("layerInputs", {}, 1e6).reason).toBe("large");
  expect(roomOf("layerInputs", { checkpointing: "on" }).reason).toBe("asked");
  expect(roomOf("everything", { checkpointing: "off" }, 1e6).reason).toBe("asked");
});

it("counts whole layers by the rows of the largest batch", () => {
  const pair = (length: number, row: number) => {
    const answer = new Int32Array(length).fill(3);
    return { prompt: Int32Array.of(1, 5), chosen: answer, rejected: answer, row };
  };
  const trainPairs = [pair(3, 0), pair(9, 1)];
  const bytesOf = (batchPairs: number) => {
    const run = tinyRun(tiny.model, { batchPairs, steps: 4 }, { trainPairs });
    return stepRoom(run, { kind: "ready", keeps: "everything", bytes: 0 }).layerBytes;
  };
  // 2 + 9 + 9 rows of the longer pair; with the other one 2 + 3 + 3 more.
  expect(bytesOf(2) / bytesOf(1)).toBeCloseTo(28 / 20, 9);
});
