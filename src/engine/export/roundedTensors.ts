/** A model's tensors as they lie on a device that rounded them to few bits: what a run was trained on. */
import type { StoredTensor, StoredTensors } from "../files/storedTensors.ts";
import { transposed } from "../files/transposed.ts";
import { packRows, unpackRow, type QuantizedLayout } from "../kernels/weightLayout/weightLayout.ts";
import { placeOf, storageOf } from "../models/checkpoint.ts";
import type { ModelConfig } from "../models/config.ts";
import { expectedShapes } from "../models/parameterNames.ts";

/** The layout of a setting that rounds to few bits; null for one that does not. */
export function roundingLayout(weights: string): QuantizedLayout | null {
  if (weights === "q8") return "q8";
  return weights === "q4" ? "q4m" : null;
}

/** The tensors with every matrix rounded row by row, as loading does it; vectors are as they were. */
export function roundedTensors(
  config: ModelConfig,
  tensors: StoredTensors,
  layout: QuantizedLayout,
): Map<string, StoredTensor> {
  const turned = new Set(
    [...expectedShapes(config).keys()]
      .filter((name) => storageOf(config, name).isTransposed)
      .map((name) => placeOf(config, name.slice(0, -".weight".length), 0).name),
  );
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const module = name.slice(0, -".weight".length);
      // Some files leave the prefix out.
      const isTurned = [...turned].some((stored) => stored === module || stored.endsWith(`.${module}`));
      return [name, tensor.shape.length === 2 ? rounded(tensor, layout, isTurned) : tensor];
    }),
  );
}

function rounded(tensor: StoredTensor, layout: QuantizedLayout, isTurned: boolean): StoredTensor {
  const [first = 0, second = 0] = tensor.shape;
  const values = async () => {
    const own = await tensor.values();
    if (!isTurned) return roundedRows(own, [first, second], layout);
    const rows = roundedRows(transposed(own, first, second), [second, first], layout);
    return transposed(rows, second, first);
  };
  const { rows: _rows, ...whole } = tensor;
  return { ...whole, type: layout === "q8" ? "Q8_0" : "Q4_1", values };
}

/** values [rows, inputs] */
function roundedRows(
  values: Float32Array,
  [rows, inputs]: readonly [number, number],
  layout: QuantizedLayout,
): Float32Array {
  const words = packRows(values, [rows, inputs], layout);
  const back = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) back.set(unpackRow(words, row, inputs, layout), row * inputs);
  return back;
}
