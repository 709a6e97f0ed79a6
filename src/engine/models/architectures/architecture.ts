import type { ArchitectureName, ModelConfig } from "../config.ts";
import type { Fields } from "./fields.ts";

/** One family of models: how its `config.json` is read, and what its checkpoint calls the decoder's parameters. */
export interface Architecture {
  readonly modelType: ArchitectureName;
  /** `architectures[0]` of its files. */
  readonly className: string;
  readonly readConfig: (fields: Fields) => ModelConfig;
  /** Without one, the checkpoint's names are the decoder's. */
  readonly checkpoint?: CheckpointLayout;
  /** The gains of its norms are stored less 1. */
  readonly hasGainsAboutZero?: boolean;
}

/** How a checkpoint that is not laid out as a Llama's stores the decoder's parameters. */
export interface CheckpointLayout {
  /** Some files leave it out before every name. */
  readonly prefix: string;
  /** The list of layers. */
  readonly layers: string;
  /** The checkpoint's modules by the decoder's; those inside a layer are named from there on. */
  readonly names: Readonly<Record<string, string>>;
  /**
   * One linear for queries, keys and values; its rows are all queries, then all keys, then all values (`parts`),
   * or head by head the three of each (`heads`).
   */
  readonly fused: { readonly module: string; readonly order: "parts" | "heads" };
  /** Linears are stored [in, out], embeddings and the head are not. */
  readonly hasTransposedLinears: boolean;
}
