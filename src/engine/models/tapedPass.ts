/** Layers on the tape: every architecture, any trained parameters, adapter dropout. */
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import { dispose, tidy } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { vjp } from "../tensor/vjp.ts";
import { decoderLayer, embedTokens, isEmbedding, scoredHidden } from "./decoder.ts";
import { ownedBy, requireNoWayBack, type DecoderPass, type GradientSink, type PassSetup } from "./pass.ts";
import type { ScoredRows } from "./rows.ts";

/** A pass that keeps each layer's input, if anything, and computes the layer again on its way back. */
export function tapedPass({ model, weights, rows, keeps, keepsFrom = 0 }: PassSetup): DecoderPass {
  /** inputs[i]: input of layer i, [rows, hidden] */
  let inputs: Tensor[] = [];
  let scoredRows: ScoredRows | null = null;
  let hidden: Tensor | null = null;
  let flowing: Tensor | null = null;

  const last = (): Tensor => {
    const stream = inputs.at(-1);
    if (stream === undefined) throw new Error("The pass has no stream: embed comes first.");
    return stream;
  };
  /** Differentiates `block`: adds the gradients of its parameters, and lets that of `input` flow on. */
  const walkBack = (block: () => Tensor, input: Tensor | null, { flat, trainables }: GradientSink): void => {
    const upstream = flowing;
    if (upstream === null) throw new Error("No gradient flows back yet.");
    const xs = trainables.map(({ tensor }) => tensor);
    const found = tidy(() => vjp(block, input === null ? xs : [input, ...xs], upstream));
    upstream.dispose();
    flowing = input === null ? null : (found.shift() ?? null);
    trainables.forEach(({ offset }, index) => {
      const gradient = found[index];
      if (gradient !== undefined) accumulateAt(flat, gradient, offset);
    });
    dispose(found);
  };

  return {
    embed: () => {
      inputs.push(tidy(() => embedTokens(model, weights, rows)));
    },
    forward: (layer) => {
      const input = last();
      inputs.push(tidy(() => decoderLayer(model, weights, layer, { x: input, rows })));
      if (keeps === "nothing" || layer < keepsFrom) dispose(inputs.splice(0, inputs.length - 1));
    },
    stream: () => {
      const stream = last();
      inputs = inputs.slice(0, -1);
      return stream;
    },
    scored: (scored) => {
      scoredRows = scored;
      hidden = tidy(() => scoredHidden(model, weights, last(), scored));
      return hidden;
    },
    residual: () => last().clone(),
    changeStream: (change) => {
      requireNoWayBack(keeps);
      tidy(() => {
        change(last());
      });
    },
    backwardScored: (dHidden, sink) => {
      const [stream, scored] = [last(), scoredRows];
      if (scored === null) throw new Error("No rows were scored.");
      flowing = dHidden.clone();
      const trainables = ownedBy(sink, (name) => name.startsWith("model.norm."));
      walkBack(() => scoredHidden(model, weights, stream, scored), stream, { ...sink, trainables });
    },
    backward: (layer, sink, { isLowest }) => {
      inputs.pop()?.dispose();
      const input = last();
      const trainables = ownedBy(sink, (name) => name.startsWith(`model.layers.${layer}.`));
      const block = () => decoderLayer(model, weights, layer, { x: input, rows });
      walkBack(block, isLowest ? null : input, { ...sink, trainables });
    },
    changeGradient: (change) => {
      const dh = flowing;
      if (dh === null) throw new Error("No gradient flows back yet.");
      tidy(() => {
        change(dh);
      });
    },
    backwardEmbed: (sink) => {
      const trainables = ownedBy(sink, isEmbedding);
      const block = () => embedTokens(model, weights, rows);
      walkBack(block, null, { ...sink, trainables });
    },
    dispose: () => {
      dispose(inputs);
      hidden?.dispose();
      flowing?.dispose();
      inputs = [];
      [hidden, flowing] = [null, null];
    },
  };
}
