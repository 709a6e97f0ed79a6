import { describe, expect, it } from "vitest";
import { read, tensor } from "../../tensor/run.ts";
import { openTestDevice, randomValues } from "../../tensor/testing.ts";
import { rope } from "./rope.ts";
import { ropePacked, ropePackedOp } from "./ropePacked.ts";
import { ropeTable } from "./ropeTable.ts";

const shape = { heads: 4, keyValueHeads: 2, headDim: 6 } as const;
const rows = 3;
/** Columns of q, of k and of v in a packed row. */
const [q, kv, width] = [24, 12, 48];

const columnsOf = (values: Float32Array, first: number, count: number): Float32Array =>
  Float32Array.from(
    { length: rows * count },
    (_, i) => values[Math.floor(i / count) * width + first + (i % count)]!,
  );

describe("ropePacked", () => {
  it.each([6, 4])(
    "turns %i of 6 values of query and key heads as rope does, and no values",
    async (rotary) => {
      await openTestDevice("cpu");
      const values = randomValues(1, [rows, width]);
      const qkv = tensor(values, [rows, width]);
      const turns = {
        table: tensor(ropeTable({ headDim: rotary, maxPositions: 5, theta: 100 }), [5, rotary / 2, 2]),
        positions: tensor(Int32Array.of(4, 0, 3), [rows]),
      };
      ropePacked(qkv, turns, { ...shape, rotary });
      const actual = Float32Array.from(await read(qkv));
      for (const [first, count, heads] of [
        [0, q, shape.heads],
        [q, kv, shape.keyValueHeads],
      ] as const) {
        const x = tensor(columnsOf(values, first, count), [rows, count]);
        const y = rope(x, turns, { heads, headDim: shape.headDim, rotary });
        expect(columnsOf(actual, first, count)).toEqual(await read(y));
        x.dispose();
        y.dispose();
      }
      expect(columnsOf(actual, q + kv, kv)).toEqual(columnsOf(values, q + kv, kv));
      for (const each of [qkv, turns.table, turns.positions]) each.dispose();
    },
  );

  it("refuses rows of another width", () => {
    const heads = { ...shape, rotary: 6 };
    expect(() => ropePackedOp.outputShapes([[3, 47], [5, 3, 2], [3]], heads)).toThrow(/rows of 47/);
    expect(() => ropePackedOp.outputShapes([[3, 48], [5, 2, 2], [3]], heads)).toThrow(/table of \[5, 2, 2\]/);
    expect(() => ropePackedOp.outputShapes([[3, 48], [5, 3, 2], [4]], heads)).toThrow(/4 positions/);
  });
});
