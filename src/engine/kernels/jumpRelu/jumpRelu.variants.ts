import { variant } from "../../tensor/variant.ts";
import { jumpReluOp } from "./jumpRelu.ts";

/** Texts to compile. */
export const variants = [variant(jumpReluOp, [[5, 7], [7]], {})];
