import { variant } from "../../tensor/variant.ts";
import { dropoutOp } from "./dropout.ts";

/** Texts to compile. */
export const variants = [variant(dropoutOp, [[5, 7]], { rate: 0.5, seed: 3 })];
