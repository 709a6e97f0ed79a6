import { test } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { gatherRowsOp } from "./gatherRows.ts";

test.each([
  { rows: 1, width: 1 },
  { rows: 65, width: 37 },
  { rows: 37, width: 96 },
  { rows: 70_000, width: 131 }, // more workgroups than one axis holds
])("every other of $rows rows of $width", async ({ rows, width }) => {
  const picked = Math.ceil(rows / 2);
  const indices = Int32Array.from({ length: picked }, (_, i) => 2 * (picked - 1 - i));
  const inverse = new Int32Array(rows).fill(-1);
  indices.forEach((row, i) => (inverse[row] = i));
  const attrs = { isVectorised: width % 4 === 0 };
  const x = { values: randomValues(1, [rows, width]), shape: [rows, width] };
  const dy = { values: randomValues(2, [picked, width]), shape: [picked, width] };
  const forward = { values: indices, shape: [picked] };
  const back = { values: inverse, shape: [rows] };
  await parity(gatherRowsOp, { name: "gather", inputs: [x, forward, back], attrs });
  await parity(gatherRowsOp, { name: "scatter", inputs: [dy, back, forward], attrs });
});
