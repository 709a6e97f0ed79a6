/** What a model's parameters are called and how large they are, whatever its checkpoint calls them. */
import type { ModelConfig } from "./config.ts";

/** A linear of a layer by its name inside the layer. */
interface LayerLinear {
  readonly name: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly hasBias: boolean;
}

function layerLinears(config: ModelConfig): LayerLinear[] {
  const { hiddenSize: hidden, intermediateSize: intermediate, heads, keyValueHeads, headDim } = config;
  const [queries, keys] = [heads * headDim, keyValueHeads * headDim];
  const { hasQkvBias, hasOutputBias, hasMlpBias } = config;
  const gate = { name: "mlp.gate_proj", outputs: intermediate, inputs: hidden, hasBias: hasMlpBias };
  return [
    { name: "self_attn.q_proj", outputs: queries, inputs: hidden, hasBias: hasQkvBias },
    { name: "self_attn.k_proj", outputs: keys, inputs: hidden, hasBias: hasQkvBias },
    { name: "self_attn.v_proj", outputs: keys, inputs: hidden, hasBias: hasQkvBias },
    { name: "self_attn.o_proj", outputs: hidden, inputs: queries, hasBias: hasOutputBias },
    ...(config.isGatedMlp ? [gate] : []),
    { name: "mlp.up_proj", outputs: intermediate, inputs: hidden, hasBias: hasMlpBias },
    { name: "mlp.down_proj", outputs: hidden, inputs: intermediate, hasBias: hasMlpBias },
  ];
}

/** Names of a layer's norms over the stream, in Hugging Face's order. */
function layerNorms({ hasPostNorms }: ModelConfig): string[] {
  const names = ["input_layernorm", "post_attention_layernorm"];
  if (hasPostNorms) names.push("pre_feedforward_layernorm", "post_feedforward_layernorm");
  return names;
}

/** Name of the norm before the MLP: with norms on both sides, Hugging Face gives Llama's name to another one. */
export function mlpNormName({ hasPostNorms }: ModelConfig): string {
  return hasPostNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm";
}

/** Shapes of one layer's parameters by name. */
export function layerParameterShapes(config: ModelConfig, layer: number): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const prefix = `model.layers.${layer}`;
  const add = (name: string, shape: number[]) => shapes.set(`${prefix}.${name}`, shape);
  for (const name of layerNorms(config)) {
    add(`${name}.weight`, [config.hiddenSize]);
    if (config.norm === "layer") add(`${name}.bias`, [config.hiddenSize]);
  }
  if (config.hasQueryKeyNorm) {
    for (const name of ["q_norm", "k_norm"]) add(`self_attn.${name}.weight`, [config.headDim]);
  }
  for (const { name, outputs, inputs, hasBias } of layerLinears(config)) {
    add(`${name}.weight`, [outputs, inputs]);
    if (hasBias) add(`${name}.bias`, [outputs]);
  }
  return shapes;
}

/** Shapes of every parameter that a model of this configuration needs, by name; a tied head has none of its own. */
export function expectedShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize, vocabularySize, maxPositions } = config;
  const shapes = new Map([["model.embed_tokens.weight", [vocabularySize, hiddenSize]]]);
  if (config.rotaryDims === 0) shapes.set("model.embed_positions.weight", [maxPositions, hiddenSize]);
  for (let layer = 0; layer < config.layers; layer++) {
    for (const [name, shape] of layerParameterShapes(config, layer)) shapes.set(name, shape);
  }
  shapes.set("model.norm.weight", [hiddenSize]);
  if (config.norm === "layer") shapes.set("model.norm.bias", [hiddenSize]);
  if (!config.hasTiedEmbeddings) shapes.set("lm_head.weight", [vocabularySize, hiddenSize]);
  return shapes;
}
