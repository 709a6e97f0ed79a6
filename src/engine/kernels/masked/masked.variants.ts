import { variant } from "../../tensor/variant.ts";
import { maskedOp } from "./masked.ts";

/** Texts to compile. */
export const variants = [
  variant(
    maskedOp,
    [
      [5, 7],
      [5, 7],
    ],
    {},
  ),
];
