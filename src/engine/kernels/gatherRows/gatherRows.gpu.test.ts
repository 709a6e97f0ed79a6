import { test } from "vitest";
import { parity, randomValues } from "../../tensor/testing.ts";
import { gatherRowsOp, sumEntriesOp } from "./gatherRows.ts";

test.each([
  { rows: 1, width: 1 },
  { rows: 65, width: 37 },
  { rows: 37, width: 96 },
  { rows: 70_000, width: 131 }, // more workgroups than one axis holds
])("every other of $rows rows of $width, and the first twice", async ({ rows, width }) => {
  const picked = Math.ceil(rows / 2);
  const indices = Int32Array.from({ length: picked + 1 }, (_, i) => Math.max(0, 2 * (picked - 1 - i)));
  const inverse = new Int32Array(2 * rows).fill(-1);
  indices.forEach((row, entry) => {
    // Rows with one entry have it in the first or the second column.
    const place = 2 * row + (entry === picked ? 1 : row % 4 === 0 ? 0 : 1);
    inverse[place] = entry;
  });
  const attrs = { isVectorised: width % 4 === 0 };
  const x = { values: randomValues(1, [rows, width]), shape: [rows, width] };
  const dy = { values: randomValues(2, [picked + 1, width]), shape: [picked + 1, width] };
  const forward = { values: indices, shape: [picked + 1] };
  const back = { values: inverse, shape: [rows, 2] };
  await parity(gatherRowsOp, { name: "gather", inputs: [x, forward, back], attrs });
  await parity(sumEntriesOp, { name: "scatter", inputs: [dy, back], attrs });
});
