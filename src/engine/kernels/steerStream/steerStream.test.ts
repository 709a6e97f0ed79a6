import { beforeAll, describe, expect, it } from "vitest";
import { dispose, read, tensor } from "../../tensor/run.ts";
import { openTestDevice } from "../../tensor/testing.ts";
import { steerStream, steerStreamOp, type SteerAttrs } from "./steerStream.ts";

/** Two features of streams of two: the second reads the sum less 1, above a threshold of 2, and writes (1/2, 1/2). */
const encoder = Float64Array.of(1, 0, 1, 1);
const bias = Float64Array.of(0, -1);
const threshold = Float64Array.of(0, 2);
const decoder = Float64Array.of(0, 3, 0.5, 0.5);
/** Before the threshold the second feature has 4, 2 (not above it) and 8. */
const rows = [3, 2, 1, 2, 4, 5];
const shapes = [[3, 2], [3], [2, 2], [2, 2], [2], [2]];
const attrs = { skippedToken: -1, isVector: false, isSerial: true, feature: 1 };

function steered(change: Pick<SteerAttrs, "mode" | "value"> & Partial<SteerAttrs>): number[] {
  const stream = Float64Array.from(rows);
  const given = [stream, Int32Array.of(5, 6, 7), decoder];
  const read = change.mode === "add" ? given : [...given, encoder, bias, threshold];
  steerStreamOp.cpu(read, [], shapes.slice(0, read.length), { ...attrs, ...change });
  return [...stream];
}

describe("steerStream", () => {
  it("adds so many times the direction", () => {
    expect(steered({ mode: "add", value: 4 })).toEqual([5, 4, 3, 4, 6, 7]);
    expect(steered({ mode: "add", value: -1, feature: 0 })).toEqual([3, -1, 1, -1, 4, 2]);
    expect(steered({ mode: "add", value: 0 })).toEqual(rows);
  });

  it("adds what an activation lacks", () => {
    // 6 − 4, 6 − 0 (the feature is off at the second row) and 6 − 8, in halves.
    expect(steered({ mode: "clamp", value: 6 })).toEqual([4, 3, 4, 5, 3, 4]);
  });

  it("leaves rows of the skipped token alone", () => {
    expect(steered({ mode: "add", value: 4, skippedToken: 6 })).toEqual([5, 4, 1, 2, 6, 7]);
    expect(steered({ mode: "clamp", value: 6, skippedToken: 7 })).toEqual([4, 3, 4, 5, 4, 5]);
  });

  it("refuses what does not fit", () => {
    const refuse = (message: string, given: number[][], change: Partial<SteerAttrs> = {}) => {
      expect(() =>
        steerStreamOp.outputShapes(given, { ...attrs, mode: "clamp", value: 1, ...change }),
      ).toThrow(message);
    };
    refuse("tokenIds is [2], not [3]", [[3, 2], [2], ...shapes.slice(2)]);
    refuse("decoder is [2, 3], not [2, 2]", [[3, 2], [3], [2, 3], ...shapes.slice(3)]);
    refuse("encoder is [2, 3], not [2, 2]", [...shapes.slice(0, 3), [2, 3], [2], [2]]);
    refuse("feature 2 is not one of 2", shapes, { feature: 2 });
    refuse("rows of 2", shapes, { isVector: true });
    expect(steerStreamOp.outputShapes(shapes.slice(0, 3), { ...attrs, mode: "add", value: 1 })).toEqual([]);
  });
});

describe("steerStream on a device", () => {
  beforeAll(() => openTestDevice("cpu"));

  it("changes the stream in place", async () => {
    const tensors = {
      stream: tensor(rows, [3, 2]),
      tokenIds: tensor(Int32Array.of(5, 6, 7), [3]),
      decoder: tensor(decoder, [2, 2]),
      encoder: tensor(encoder, [2, 2]),
      bias: tensor(bias, [2]),
      threshold: tensor(threshold, [2]),
    };
    steerStream(tensors, { mode: "clamp", feature: 1, value: 6, skippedToken: null });
    steerStream(tensors, { mode: "add", feature: 0, value: 1, skippedToken: 5 });
    expect([...(await read(tensors.stream))]).toEqual([4, 3, 4, 8, 3, 7]);
    dispose(Object.values(tensors));
  });
});
