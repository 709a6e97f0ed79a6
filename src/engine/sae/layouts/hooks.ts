/** Names of the places that autoencoders read, of which the residual stream after a block is the one that is computed. */

const AFTER_A_BLOCK = /^(?:blocks\.(\d{1,4})\.hook_resid_post|model\.layers\.(\d{1,4})\.output)$/;
const BEFORE_A_BLOCK = /^blocks\.(\d{1,4})\.hook_resid_pre$/;

/** Where an autoencoder reads. */
export interface Place {
  /** Block whose output it reads, from 0 on. */
  readonly layer: number;
  readonly hook: string;
}

/** What is expected where a hook is read. */
export const EXPECTED_HOOK = "the residual stream after a block, such as blocks.2.hook_resid_post";

/** TransformerLens's name of the stream after a block. */
export function hookOfLayer(layer: number): string {
  return `blocks.${layer}.hook_resid_post`;
}

/** The place a hook names, or null: what goes into a block is what came out of the one before. */
export function placeOfHook(hook: unknown): Place | null {
  if (typeof hook !== "string") return null;
  const after = AFTER_A_BLOCK.exec(hook);
  if (after !== null) return { layer: Number(after[1] ?? after[2]), hook };
  const before = BEFORE_A_BLOCK.exec(hook);
  return before === null || Number(before[1]) === 0 ? null : { layer: Number(before[1]) - 1, hook };
}
