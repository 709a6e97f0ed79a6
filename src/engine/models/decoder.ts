/**
 * One decoder for every architecture; the configuration says what differs between them. It is a function of named
 * weights: with a run's adapters it is the policy, with those alone that stand on the model the reference.
 */
import { add } from "../kernels/add/add.ts";
import { appendRows } from "../kernels/appendRows/appendRows.ts";
import {
  attention as causalAttention,
  attentionOverCache,
  type AttentionAttributes,
} from "../kernels/attention/attention.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { gatherRows } from "../kernels/gatherRows/gatherRows.ts";
import { gelu } from "../kernels/gelu/gelu.ts";
import { layerNorm } from "../kernels/layerNorm/layerNorm.ts";
import { rmsNorm } from "../kernels/rmsNorm/rmsNorm.ts";
import { rope } from "../kernels/rope/rope.ts";
import { gatedActivation } from "../kernels/gatedActivation/gatedActivation.ts";
import type { Weight } from "../kernels/weightLayout/packedWeight.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { layerOptions, type ModelConfig } from "./config.ts";
import { mlpNormName } from "./parameterNames.ts";
import { tableOf, type RowAttention, type Rows, type ScoredRows, type Window } from "./rows.ts";
import type { Stacks } from "./stacks.ts";
import { applyLinear, matrix, parameter, type Standing, type Weights } from "./weights.ts";

/** Queries, keys and values of one layer after rotation. */
export interface HeadStates {
  /** [rows, heads · headDim] */
  readonly q: Tensor;
  /** [rows, keyValueHeads · headDim] */
  readonly k: Tensor;
  /** [rows, keyValueHeads · headDim] */
  readonly v: Tensor;
}

/** A model that is loaded: its shape, its parameters and its rotary table. */
export interface Model {
  readonly config: ModelConfig;
  readonly base: ReadonlyMap<string, Weight>;
  /** The same matrices group by group; empty when the layers cannot be fused. */
  readonly stacks: Stacks;
  /** [maxPositions, rotaryDims / 2, 2] cosines and sines of the `main` rotation; null with learned positions. */
  readonly ropeTable: Tensor | null;
  /** The same of the `local` rotation, where layers have one. */
  readonly localRopeTable: Tensor | null;
  /** Adapters that stand on it; absent where none does. */
  readonly standing?: Standing;
}

/** Cosines and sines that turn a layer's queries and keys; null where nothing is turned. */
export function ropeTableOf(model: Model, layer: number): Tensor | null {
  const { rope } = layerOptions(model.config, layer);
  if (rope === null) return null;
  return rope === "main" ? model.ropeTable : model.localRopeTable;
}

/** Name of the matrix that turns hidden states into logits. */
export function headName(config: ModelConfig): string {
  return config.hasTiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
}

/** Whether a parameter belongs to what turns tokens into the first residual stream. */
export function isEmbedding(name: string): boolean {
  return name.startsWith("model.embed_");
}

/** Token embeddings, with those of positions where they are learned: → [rows, hidden]. */
export function embedTokens({ config }: Model, weights: Weights, rows: Rows): Tensor {
  const tokens = embedding(
    rows.tokenIds,
    matrix(weights, "model.embed_tokens.weight"),
    config.embeddingScale,
  );
  if (config.rotaryDims > 0) return tokens;
  return add(tokens, embedding(rows.positions, matrix(weights, "model.embed_positions.weight")));
}

/** The norm called `name`, of the model's kind, over every row or every group of it that is as wide as its gain. */
function applyNorm({ config }: Model, weights: Weights, name: string, x: Tensor): Tensor {
  const gain = parameter(weights, `${name}.weight`);
  const epsilon = config.rmsNormEpsilon;
  if (config.norm === "rms") return rmsNorm(x, gain, epsilon);
  return layerNorm(x, { gain, bias: parameter(weights, `${name}.bias`), epsilon });
}

/** One layer: residual stream [rows, hidden] → [rows, hidden]. */
export function decoderLayer(model: Model, weights: Weights, layer: number, { x, rows }: Stream): Tensor {
  const { hasPostNorms, isParallelResidual } = model.config;
  const norm = (name: string, states: Tensor) =>
    applyNorm(model, weights, `model.layers.${layer}.${name}`, states);
  const attended = selfAttention(model, weights, layer, { x: norm("input_layernorm", x), rows });
  const between = add(x, hasPostNorms ? norm("post_attention_layernorm", attended) : attended);
  const fed = feedForward(
    model,
    weights,
    layer,
    norm(mlpNormName(model.config), isParallelResidual ? x : between),
  );
  return add(between, hasPostNorms ? norm("post_feedforward_layernorm", fed) : fed);
}

/** What flows through the layers. */
interface Stream {
  /** [rows, hidden] */
  readonly x: Tensor;
  readonly rows: Rows;
}

/** The MLP: [rows, hidden] → [rows, hidden]. */
function feedForward({ config }: Model, weights: Weights, layer: number, x: Tensor): Tensor {
  const { isGatedMlp, activation } = config;
  const prefix = `model.layers.${layer}.mlp`;
  const up = applyLinear(weights, `${prefix}.up_proj`, x); // [rows, intermediate]
  if (isGatedMlp) {
    const gate = applyLinear(weights, `${prefix}.gate_proj`, x); // [rows, intermediate]
    return applyLinear(weights, `${prefix}.down_proj`, gatedActivation(gate, up, activation));
  }
  if (activation === "silu") throw new Error("An MLP without a gate has no silu.");
  return applyLinear(weights, `${prefix}.down_proj`, gelu(up, activation));
}

function selfAttention(model: Model, weights: Weights, layer: number, { x, rows }: Stream): Tensor {
  const { heads, keyValueHeads, headDim, rotaryDims: rotary, hasQueryKeyNorm } = model.config;
  const { attentionScale: scale, attentionSoftCap: softCap } = model.config;
  const prefix = `model.layers.${layer}.self_attn`;
  const table = ropeTableOf(model, layer);
  /** Queries or keys: each head is normed, then turned, where the model does so. */
  const turned = (name: "q" | "k", count: number) => {
    const projected = applyLinear(weights, `${prefix}.${name}_proj`, x); // [rows, count · headDim]
    const states = hasQueryKeyNorm
      ? applyNorm(model, weights, `${prefix}.${name}_norm`, projected)
      : projected;
    if (table === null) return states;
    return rope(states, { table, positions: rows.positions }, { heads: count, headDim, rotary });
  };
  const states = {
    q: turned("q", heads), // [rows, heads · headDim]
    k: turned("k", keyValueHeads), // [rows, keyValueHeads · headDim]
    v: applyLinear(weights, `${prefix}.v_proj`, x), // [rows, keyValueHeads · headDim]
  };
  const shape = { heads, keyValueHeads, headDim, scale, ...(softCap === null ? {} : { softCap }) };
  const { window } = layerOptions(model.config, layer);
  return applyLinear(weights, `${prefix}.o_proj`, attend(rows.attention, { layer, window }, states, shape)); // [rows, hidden]
}

/** Rows meet the rows they see: → [rows, heads · headDim]. Only rows of one batch can be differentiated. */
function attend(
  attention: RowAttention,
  { layer, window }: { readonly layer: number; readonly window: Window },
  states: HeadStates,
  shape: AttentionAttributes,
): Tensor {
  if (attention.kind === "causal")
    return causalAttention({ ...states, ...tableOf(attention.tables, window) }, shape);
  const { cache, slots } = attention;
  const stored = cache[layer];
  if (stored === undefined)
    throw new Error(`The cache has ${cache.length} layers, layer ${layer} is asked for.`);
  appendRows(stored.keys, states.k, slots);
  appendRows(stored.values, states.v, slots);
  const keyRanges = tableOf(attention.keyRanges, window);
  return attentionOverCache({ q: states.q, k: stored.keys, v: stored.values, keyRanges }, shape);
}

/** Final norm of the scored rows only: [rows, hidden] → [entries, hidden]. Prompts cost nothing from here on. */
export function scoredHidden(model: Model, weights: Weights, x: Tensor, scored: ScoredRows): Tensor {
  const gathered = gatherRows(x, { indices: scored.rows, inverse: scored.inverse }); // [entries, hidden]
  return applyNorm(model, weights, "model.norm", gathered);
}
