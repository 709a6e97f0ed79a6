/**
 * One decoder for every architecture that is a list of pre-norm attention and gated-MLP layers. It is a
 * function of named weights: with adapters it is the policy, without them the reference.
 */
import { add } from "../kernels/add/add.ts";
import { appendRows } from "../kernels/appendRows/appendRows.ts";
import { attention, attentionOverCache, type AttentionAttributes } from "../kernels/attention/attention.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { gatherRows } from "../kernels/gatherRows/gatherRows.ts";
import { rmsNorm } from "../kernels/rmsNorm/rmsNorm.ts";
import { rope } from "../kernels/rope/rope.ts";
import { gatedActivation } from "../kernels/gatedActivation/gatedActivation.ts";
import { dispose, giveWay, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { ModelConfig } from "./config.ts";
import { applyLinear, parameter, type Weights } from "./weights.ts";

/** Queries, keys and values of one layer after rotation. */
export interface HeadStates {
  /** [rows, heads · headDim] */
  readonly q: Tensor;
  /** [rows, keyValueHeads · headDim] */
  readonly k: Tensor;
  /** [rows, keyValueHeads · headDim] */
  readonly v: Tensor;
}

/** How rows see one another in a layer: → [rows, heads · headDim]. */
export type Attend = (layer: number, states: HeadStates, shape: AttentionAttributes) => Tensor;

/** Rows of a flat batch, which has no batch axis and no padding; the tables are int32. */
export interface Rows {
  /** [rows] */
  readonly tokenIds: Tensor;
  /** [rows] position within the row's own sequence */
  readonly positions: Tensor;
  readonly attend: Attend;
}

/** The rows whose next token is scored. */
export interface ScoredRows {
  /** [entries] */
  readonly rows: Tensor;
  /** [rows, 2] entries of this row; −1 where there is none */
  readonly inverse: Tensor;
}

/** Rows see their own sequence up to themselves; can be differentiated. */
export function causalAttention(tables: {
  readonly keyRanges: Tensor;
  readonly queryRanges: Tensor;
}): Attend {
  return (_layer, states, shape) => attention({ ...states, ...tables }, shape);
}

/** Keys and values of earlier tokens, per layer [capacity, keyValueHeads · headDim] each. */
export type KeyValueCache = readonly { readonly keys: Tensor; readonly values: Tensor }[];

/** Rows are first stored in the cache at `slots` [rows], then see the cache rows of `keyRanges` [rows, 2]. */
export function cachedAttention(
  cache: KeyValueCache,
  tables: { readonly slots: Tensor; readonly keyRanges: Tensor },
): Attend {
  return (layer, { q, k, v }, shape) => {
    const stored = cache[layer];
    if (stored === undefined)
      throw new Error(`The cache has ${cache.length} layers, layer ${layer} is asked for.`);
    appendRows(stored.keys, k, tables.slots);
    appendRows(stored.values, v, tables.slots);
    return attentionOverCache({ q, k: stored.keys, v: stored.values, keyRanges: tables.keyRanges }, shape);
  };
}

/** A model that is loaded: its shape, its parameters and its rotary table. */
export interface Model {
  readonly config: ModelConfig;
  readonly base: ReadonlyMap<string, Tensor>;
  /** [maxPositions, headDim / 2, 2] cosines and sines */
  readonly ropeTable: Tensor;
}

/** Names of the parameters of one layer, for gradients and checks. */
export function layerParameterNames(layer: number): string[] {
  const prefix = `model.layers.${layer}`;
  const modules = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"];
  modules.push("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");
  return [
    `${prefix}.input_layernorm.weight`,
    `${prefix}.post_attention_layernorm.weight`,
    ...modules.map((module) => `${prefix}.${module}.weight`),
  ];
}

/** Names of every parameter the model needs; a tied head has none of its own. */
export function parameterNames(config: ModelConfig): string[] {
  const names = ["model.embed_tokens.weight"];
  for (let layer = 0; layer < config.layers; layer++) names.push(...layerParameterNames(layer));
  names.push("model.norm.weight");
  if (!config.hasTiedEmbeddings) names.push("lm_head.weight");
  return names;
}

/** Name of the matrix that turns hidden states into logits. */
export function headName(config: ModelConfig): string {
  return config.hasTiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
}

/** Token embeddings: → [rows, hidden]. */
export function embedTokens(weights: Weights, rows: Rows): Tensor {
  return embedding(rows.tokenIds, parameter(weights, "model.embed_tokens.weight"));
}

/** One layer: residual stream [rows, hidden] → [rows, hidden]. */
export function decoderLayer(model: Model, weights: Weights, layer: number, stream: Stream): Tensor {
  const { rmsNormEpsilon } = model.config;
  const prefix = `model.layers.${layer}`;
  const attentionInput = rmsNorm(
    stream.x,
    parameter(weights, `${prefix}.input_layernorm.weight`),
    rmsNormEpsilon,
  );
  const attended = add(stream.x, selfAttention(model, weights, layer, { ...stream, x: attentionInput }));
  const mlpInput = rmsNorm(
    attended,
    parameter(weights, `${prefix}.post_attention_layernorm.weight`),
    rmsNormEpsilon,
  );
  const gate = applyLinear(weights, `${prefix}.mlp.gate_proj`, mlpInput); // [rows, intermediate]
  const up = applyLinear(weights, `${prefix}.mlp.up_proj`, mlpInput); // [rows, intermediate]
  const product = gatedActivation(gate, up, "silu"); // [rows, intermediate]
  return add(attended, applyLinear(weights, `${prefix}.mlp.down_proj`, product)); // [rows, hidden]
}

/** What flows through the layers. */
interface Stream {
  /** [rows, hidden] */
  readonly x: Tensor;
  readonly rows: Rows;
}

function selfAttention(model: Model, weights: Weights, layer: number, { x, rows }: Stream): Tensor {
  const { heads, keyValueHeads, headDim } = model.config;
  const prefix = `model.layers.${layer}.self_attn`;
  const turn = (states: Tensor, count: number) =>
    rope(states, { table: model.ropeTable, positions: rows.positions }, { heads: count, headDim });
  const states = {
    q: turn(applyLinear(weights, `${prefix}.q_proj`, x), heads), // [rows, heads · headDim]
    k: turn(applyLinear(weights, `${prefix}.k_proj`, x), keyValueHeads), // [rows, keyValueHeads · headDim]
    v: applyLinear(weights, `${prefix}.v_proj`, x), // [rows, keyValueHeads · headDim]
  };
  const shape = { heads, keyValueHeads, headDim, scale: 1 / Math.sqrt(headDim) };
  return applyLinear(weights, `${prefix}.o_proj`, rows.attend(layer, states, shape)); // [rows, hidden]
}

/** Residual stream after the last layer: [rows, hidden]; the caller disposes it. */
export async function forwardLayers(model: Model, weights: Weights, rows: Rows): Promise<Tensor> {
  let x = tidy(() => embedTokens(weights, rows));
  for (let layer = 0; layer < model.config.layers; layer++) {
    const input = x;
    try {
      x = tidy(() => decoderLayer(model, weights, layer, { x: input, rows }));
    } finally {
      dispose(input);
    }
    await giveWay();
  }
  return x;
}

/** Final norm of the scored rows only: [rows, hidden] → [entries, hidden]. Prompts cost nothing from here on. */
export function scoredHidden(model: Model, weights: Weights, x: Tensor, scored: ScoredRows): Tensor {
  const gathered = gatherRows(x, { indices: scored.rows, inverse: scored.inverse }); // [entries, hidden]
  return rmsNorm(gathered, parameter(weights, "model.norm.weight"), model.config.rmsNormEpsilon);
}
