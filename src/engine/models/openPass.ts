/**
 * There are two kinds of pass: fused layers, a few dispatches each, for the common shape of a layer; and layers on the
 * tape for every other shape and for adapter dropout. The tape is also the oracle of the fused layers.
 */
import { canFuse, fusedPass } from "./fusedPass.ts";
import type { DecoderPass, PassSetup } from "./pass.ts";
import { tapedPass } from "./tapedPass.ts";

/** A pass over fused layers where the model and its adapters allow it, otherwise over layers on the tape. */
export function openPass(setup: PassSetup): DecoderPass {
  return canFuse(setup) ? fusedPass(setup) : tapedPass(setup);
}
