/** What llama.cpp's converter does to the models that it knows and this decoder has. */
import type { ArchitectureName } from "../config.ts";

/** One `general.architecture`. */
export interface GgufFamily {
  /** Its name in GGUF, which also begins the keys of its sizes. */
  readonly name: string;
  readonly modelType: ArchitectureName;
  /** `architectures[0]` of a config.json. */
  readonly className: string;
  /** Rows of queries and keys are stored in the order of interleaved rotary positions. */
  readonly hasInterleavedRows: boolean;
  /** Norms have a second one behind each part of a layer, and gains are stored as 1 + w. */
  readonly isGemma: boolean;
}

/** Every family that is read and written. Mistral and SmolLM2 are Llamas. */
export const ggufFamilies: readonly GgufFamily[] = [
  {
    name: "llama",
    modelType: "llama",
    className: "LlamaForCausalLM",
    hasInterleavedRows: true,
    isGemma: false,
  },
  {
    name: "qwen2",
    modelType: "qwen2",
    className: "Qwen2ForCausalLM",
    hasInterleavedRows: false,
    isGemma: false,
  },
  {
    name: "qwen3",
    modelType: "qwen3",
    className: "Qwen3ForCausalLM",
    hasInterleavedRows: false,
    isGemma: false,
  },
  {
    name: "gemma2",
    modelType: "gemma2",
    className: "Gemma2ForCausalLM",
    hasInterleavedRows: false,
    isGemma: true,
  },
  {
    name: "gemma3",
    modelType: "gemma3_text",
    className: "Gemma3ForCausalLM",
    hasInterleavedRows: false,
    isGemma: true,
  },
];

/** Layers of the largest Gemma 2 and 3, the only ones whose attention is scaled by hidden size / heads. */
export const LAYERS_OF_LARGEST_GEMMA = { gemma2: 46, gemma3: 62 } as const;
/** What llama.cpp takes for Gemma 3 where a file says nothing: every so many layers one sees everything. */
export const USUAL_PATTERN = 6;
/** And the base of the rotation of the others. */
export const LOCAL_THETA = 10_000;

/** Modules of a model by GGUF's names. */
const OUTER = new Map([
  ["token_embd", "model.embed_tokens"],
  ["output_norm", "model.norm"],
  ["output", "lm_head"],
]);

const INNER = new Map([
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_output", "self_attn.o_proj"],
  ["attn_q_norm", "self_attn.q_norm"],
  ["attn_k_norm", "self_attn.k_norm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
]);

const INNER_NORMS = new Map([["ffn_norm", "post_attention_layernorm"]]);

const INNER_NORMS_OF_GEMMA = new Map([
  ["post_attention_norm", "post_attention_layernorm"],
  ["ffn_norm", "pre_feedforward_layernorm"],
  ["post_ffw_norm", "post_feedforward_layernorm"],
]);

/** Modules of one layer: Hugging Face's names by GGUF's. */
function innerNames({ isGemma }: GgufFamily): Map<string, string> {
  return new Map([...INNER, ...(isGemma ? INNER_NORMS_OF_GEMMA : INNER_NORMS)]);
}

/** Hugging Face's name of a tensor; undefined for one that the family does not have. */
export function toHuggingFaceName(family: GgufFamily, name: string): string | undefined {
  const { layer, module, kind } = /^(?:blk\.(?<layer>\d+)\.)?(?<module>\w+)\.(?<kind>weight|bias)$/.exec(name)
    ?.groups ?? { module: "" };
  const found = (layer === undefined ? OUTER : innerNames(family)).get(module ?? "");
  if (found === undefined) return undefined;
  return layer === undefined ? `${found}.${kind}` : `model.layers.${Number(layer)}.${found}.${kind}`;
}

/** GGUF's name of a tensor; undefined for one that the family does not have. */
export function toGgufName(family: GgufFamily, name: string): string | undefined {
  const { layer, module, kind } =
    /^(?:model\.layers\.(?<layer>\d+)\.)?(?<module>.+)\.(?<kind>weight|bias)$/.exec(name)?.groups ?? {
      module: "",
    };
  for (const [gguf, own] of layer === undefined ? OUTER : innerNames(family))
    if (own === module) return layer === undefined ? `${gguf}.${kind}` : `blk.${layer}.${gguf}.${kind}`;
  return undefined;
}
