/** What reference numbers belong to: they hold for exactly this and for nothing else. */

/** Fingerprints and names of all that decides what the reference says of a set of pairs. */
export interface ReferenceIdentity {
  /** The model's settings and all of its weights. */
  readonly weights: string;
  readonly tokenizer: string;
  /** The chat template. */
  readonly template: string;
  /** The token ids of all pairs. */
  readonly data: string;
  /** The adapters that the reference has, and the numbers they are computed in; "" for the bare model. */
  readonly adapter: string;
  /** Autoencoder and layer of the features; "" when none are remembered. */
  readonly features: string;
  /** What computes, and how weights are laid out. */
  readonly numerics: string;
}

/** The parts in the order in which a difference explains those after it, with their plain words. */
const partWords = {
  weights: "the model",
  tokenizer: "the tokenizer",
  template: "the chat template",
  data: "the data or how its pairs are read",
  adapter: "the starting adapter",
  features: "the sparse autoencoder or its layer",
  numerics: "what computes",
} satisfies Record<keyof ReferenceIdentity, string>;

/** The names of the parts. */
export const identityParts = Object.keys(partWords) as readonly (keyof ReferenceIdentity)[];

/**
 * The adapters of a reference as a part of its identity: a print of their sum, and the rank and alpha of the run that goes
 * on with them, because in other numbers they are the same function but not the same to the last bit.
 */
export function adapterPart(sum: string, form?: { readonly rank: number; readonly alpha: number }): string {
  if (sum === "" || form === undefined) return sum;
  return `${sum} rank ${form.rank} alpha ${form.alpha}`;
}

/** Whether two such parts are of the same adapters, in whatever numbers. */
export function haveSameAdapters(first: string, second: string): boolean {
  return first.split(" ")[0] === second.split(" ")[0];
}

/** The first part in which two identities differ, in plain words; null when they are the same. */
export function whyStale(found: ReferenceIdentity, wanted: ReferenceIdentity): string | null {
  const part = identityParts.find((name) => found[name] !== wanted[name]);
  return part === undefined ? null : partWords[part];
}
