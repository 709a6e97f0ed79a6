import { variant } from "../../tensor/variant.ts";
import { appendPackedOp } from "./appendPacked.ts";
import { appendRowsOp } from "./appendRows.ts";

/** Texts to compile. */
export const variants = [
  variant(appendRowsOp, [[8, 12], [3, 12], [3]], {}),
  variant(appendPackedOp, [[8, 8], [8, 8], [3, 24], [3]], {}),
];
