import { giveWay } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { openPass } from "./openPass.ts";
import type { PassSetup } from "./pass.ts";

/** Residual stream [rows, hidden] behind a block, none above it run; the caller disposes it. Yields between layers. */
export async function streamBehind(
  setup: Pick<PassSetup, "model" | "weights" | "rows">,
  layer: number,
): Promise<Tensor> {
  const pass = openPass({ ...setup, keeps: "nothing" });
  try {
    pass.embed();
    for (let block = 0; block <= layer; block++) {
      pass.forward(block);
      await giveWay();
    }
    return pass.residual();
  } finally {
    pass.dispose();
  }
}
