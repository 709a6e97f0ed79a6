import { variant } from "../../tensor/variant.ts";
import { gatherRowsOp, sumEntriesOp } from "./gatherRows.ts";

/** Texts to compile. */
export const variants = [true, false].flatMap((isVectorised) => [
  variant(gatherRowsOp, [[9, 12], [5], [9, 2]], { isVectorised }),
  variant(
    sumEntriesOp,
    [
      [5, 12],
      [9, 2],
    ],
    { isVectorised },
  ),
]);
