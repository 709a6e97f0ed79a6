/** A pass over fused layers. */
import { addNormGradient } from "../kernels/addNorm/addNormGradient.ts";
import { accumulateAt } from "../kernels/adamw/adamw.ts";
import { gatherRows, sumEntries } from "../kernels/gatherRows/gatherRows.ts";
import { dispose, tidy, zeros } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { vjp } from "../tensor/vjp.ts";
import type { ModelConfig } from "./config.ts";
import { embedTokens, isEmbedding } from "./decoder.ts";
import { addNormGainOf } from "./fusedGradients.ts";
import {
  addAndNorm,
  layerBackward,
  layerInput,
  layerOutput,
  layerValues,
  type LayerValues,
  type Normed,
  type Stream,
} from "./fusedLayer.ts";
import { ownedBy, requireNoWayBack, type DecoderPass, type Keeps, type PassSetup } from "./pass.ts";
import type { ScoredRows } from "./rows.ts";
import { parameter } from "./weights.ts";

/** Whether the layers of a model have the shape that is fused. */
export function hasFusedShape(config: ModelConfig): boolean {
  return (
    config.norm === "rms" &&
    config.isGatedMlp &&
    !config.isParallelResidual &&
    !config.hasPostNorms &&
    config.activation !== "gelu" &&
    config.rotaryDims > 0 &&
    config.layerPattern.every(({ rope }) => rope === "main")
  );
}

/** Whether a pass can be fused: the shape, no adapter dropout, and weights that are stacked. */
export function canFuse({ model, weights }: Pick<PassSetup, "model" | "weights">): boolean {
  const { config } = model;
  return hasFusedShape(config) && weights.dropout === null && weights.stacks.size === 4 * config.layers;
}

const finalNorm = "model.norm.weight";

/** What is kept of a layer between its forward and its backward pass. */
interface KeptLayer {
  /** Its input [rows, hidden]. */
  readonly h: Tensor;
  /** Inner values of the adapter of its last projection, which is not computed again. */
  readonly downInner: Tensor | null;
  /** Null when the layer is computed again. */
  readonly values: LayerValues | null;
}

/** A stream, and how the layer that made it is kept: what is kept whole owns the stream's tensors. */
interface OwnedStream extends Stream {
  readonly keptBy: Keeps;
}

/** What is kept of the end: the stream before the last norm, and the scored rows after it. */
interface KeptEnd extends Pick<Normed, "h" | "aux"> {
  readonly hidden: Tensor;
  readonly scored: ScoredRows;
}

/** A pass that keeps what `setup` asks for and computes the rest again on its way back. */
export function fusedPass(setup: PassSetup): DecoderPass {
  const { model, weights, rows, keeps, keepsFrom = 0 } = setup;
  const kept: KeptLayer[] = [];
  let stream: OwnedStream | null = null;
  let end: KeptEnd | null = null;
  /** [rows, hidden]: gradient of the residual stream, changed in place from layer to layer. */
  let dh: Tensor | null = null;

  const current = (): OwnedStream => {
    if (stream === null) throw new Error("The pass has no stream: embed comes first.");
    return stream;
  };
  const flowing = (): Tensor => {
    if (dh === null) throw new Error("No gradient flows back yet.");
    return dh;
  };
  const finish = (): Normed => addAndNorm(setup, current(), { gain: finalNorm, reader: null });
  /** Frees a stream that has been added up, but not what a layer keeps: its input `h`, or the stream within it. */
  const leave = ({ x, pending, keptBy }: OwnedStream, h: Tensor | null): void => {
    if (x !== h && keptBy !== "everything") dispose(x);
    pending?.y.dispose();
    if (keptBy === "nothing") pending?.inner?.dispose();
    stream = null;
  };
  /** The stream with what its last layer adds to it, which the next one would add otherwise. */
  const settled = (): Tensor => {
    const before = current();
    if (before.pending === null) return before.x;
    const h = tidy(() => finish().h);
    leave(before, h);
    stream = { x: h, pending: null, keptBy: "nothing" };
    return h;
  };

  return {
    embed: () => {
      stream = { x: tidy(() => embedTokens(model, weights, rows)), pending: null, keptBy: "nothing" };
    },
    forward: (layer) => {
      const before = current();
      const keptBy = layer < keepsFrom ? "nothing" : keeps;
      const { h, values, next } = tidy(() => {
        const attention = layerInput(setup, layer, before);
        const made = layerValues(
          { ...setup, keeps: keptBy === "everything" ? keptBy : "nothing" },
          layer,
          attention,
        );
        return {
          h: keptBy === "nothing" ? null : attention.h,
          values: keptBy === "everything" ? made : null,
          next: layerOutput(setup, layer, made),
        };
      });
      if (h !== null) kept.push({ h, downInner: next.pending?.inner ?? null, values });
      leave(before, h);
      stream = { ...next, keptBy };
    },
    stream: () => {
      const before = current();
      const h = tidy(() => finish().h);
      leave(before, h);
      return h;
    },
    scored: (scored) => {
      const before = current();
      end = tidy(() => {
        const { h, xn, aux } = finish();
        const hidden = gatherRows(xn, { indices: scored.rows, inverse: scored.inverse });
        return { h, aux, hidden, scored };
      });
      leave(before, end.h);
      return end.hidden;
    },
    residual: () => settled().clone(),
    changeStream: (change) => {
      requireNoWayBack(keeps);
      const h = settled();
      tidy(() => {
        change(h);
      });
    },
    backwardScored: (dHidden, sink) => {
      if (end === null) throw new Error("No rows were scored.");
      const { h, aux, hidden, scored } = end;
      dh = tidy(() => {
        const dxn = sumEntries(dHidden, scored.inverse);
        const gradient = zeros(h.shape);
        addNormGradient({ dxn0: dxn, h, aux, gain: parameter(weights, finalNorm), dh: gradient });
        addNormGainOf(finalNorm, { dxn, normed: { h, aux } }, sink);
        return gradient;
      });
      dispose([h, aux, hidden]);
      end = null;
    },
    backward: (layer, sink, { isLowest }) => {
      const saved = kept.pop();
      if (saved === undefined) throw new Error("The forward pass kept nothing to go back with.");
      const { h, downInner } = saved;
      const upstream = flowing();
      tidy(() => {
        const values =
          saved.values ?? layerValues(setup, layer, layerInput(setup, layer, { x: h, pending: null }));
        layerBackward(setup, { layer, isLowest }, { values, downInner, dh: upstream }, sink);
      });
      free(saved);
    },
    changeGradient: (change) => {
      tidy(() => {
        change(flowing());
      });
    },
    backwardEmbed: (sink) => {
      const trainables = ownedBy(sink, isEmbedding);
      const xs = trainables.map(({ tensor }) => tensor);
      const found = tidy(() => vjp(() => embedTokens(model, weights, rows), xs, flowing()));
      trainables.forEach(({ offset }, index) => {
        const gradient = found[index];
        if (gradient !== undefined) accumulateAt(sink.flat, gradient, offset);
      });
      dispose(found);
    },
    dispose: () => {
      if (stream !== null) leave(stream, null);
      for (const layer of kept) free(layer);
      kept.length = 0;
      if (end !== null) dispose([end.h, end.aux, end.hidden]);
      dh?.dispose();
      [end, dh] = [null, null];
    },
  };
}

/** Frees what is left of a layer; the backward pass may have freed some of it. */
function free({ h, downInner, values }: KeptLayer): void {
  const tensors = [h, downInner, ...(values === null ? [] : tensorsOf(values))];
  for (const tensor of new Set(tensors)) if (tensor !== null && !tensor.isDisposed) tensor.dispose();
}

function tensorsOf(values: LayerValues): (Tensor | null)[] {
  const { attention, raw, qkv, attended, oInner, mlp, gateUp, activated } = values;
  const normed = [attention, mlp].flatMap(({ h, xn, aux }) => [h, xn, aux]);
  return [...normed, raw, qkv, attended.o, attended.logSumExp, oInner, gateUp, activated];
}
