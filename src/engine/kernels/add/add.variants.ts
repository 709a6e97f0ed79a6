import { variant } from "../../tensor/variant.ts";
import { addOp } from "./add.ts";

/** Texts to compile. */
export const variants = [
  variant(
    addOp,
    [
      [5, 7],
      [5, 7],
    ],
    {},
  ),
];
