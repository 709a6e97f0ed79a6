/** Holds an adapter file against the model it is to stand on: its modules, layers and sizes must be the model's. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { placeOf } from "../models/checkpoint.ts";
import { adaptersByModule, fromCheckpointAdapters } from "../models/checkpointAdapters.ts";
import type { ModelConfig } from "../models/config.ts";
import { expectedShapes } from "../models/parameterNames.ts";
import { PEFT_WEIGHTS_FILE, type PeftAdapter } from "./peft.ts";
import { isTarget, PEFT_CONFIG_FILE } from "./peftConfig.ts";
import type { ScaledAdapter } from "./standing.ts";

/** Sizes of a linear as the checkpoint has it. */
interface Linear {
  readonly outputs: number;
  readonly inputs: number;
  readonly layer: number;
}

/**
 * The adapter by the decoder's modules. Throws `FileFormatError` for a module that the model does not have, for one that
 * the config names and the file lacks (PEFT would leave it out without a word), and for other sizes than the model's.
 */
export function fitAdapter(config: ModelConfig, adapter: PeftAdapter): ScaledAdapter {
  checkAdapter(config, adapter);
  const modules = adaptersByModule(fromCheckpointAdapters(config, adapter.arrays, PEFT_WEIGHTS_FILE));
  const scaleOf = (module: string) => adapter.scaleOf(storedName(config, module));
  return { modules, scaleOf };
}

function storedName(config: ModelConfig, module: string): string {
  return placeOf(config, module, 0).name;
}

/** The linears of all layers by the checkpoint's names. */
function storedLinears(config: ModelConfig): Map<string, Linear> {
  const linears = new Map<string, Linear>();
  for (const [name, [rows = 0, inputs]] of expectedShapes(config)) {
    const [, module, layer] = /^(model\.layers\.(\d+)\..+_proj)\.weight$/.exec(name) ?? [];
    if (module === undefined || inputs === undefined) continue;
    const place = placeOf(config, module, rows);
    linears.set(place.name, { outputs: place.rows, inputs, layer: Number(layer) });
  }
  return linears;
}

/** Throws as `fitAdapter` does; reads shapes alone. */
export function checkAdapter(
  config: ModelConfig,
  { arrays, config: { targets, excluded, layers } }: Pick<PeftAdapter, "arrays" | "config">,
): void {
  const linears = storedLinears(config);
  const refuse = (file: string, reason: string): never => {
    throw new FileFormatError("FIL-1", file, reason);
  };
  const given = adaptersByModule(arrays);
  for (const [module, { inputs, outputs }] of given) {
    const own = linears.get(module);
    if (own === undefined) {
      refuse(
        PEFT_WEIGHTS_FILE,
        `it adapts "${module}", which is no linear of this model's ${config.layers} layers.`,
      );
    } else if (own.inputs !== inputs || own.outputs !== outputs) {
      const [found, expected] = [`${inputs} → ${outputs}`, `${own.inputs} → ${own.outputs}`];
      refuse(PEFT_WEIGHTS_FILE, `the adapter of "${module}" maps ${found}, this model's linear ${expected}.`);
    }
  }
  if (targets === null) return;
  for (const [module, { layer }] of linears) {
    const isMeant = isTarget(module, targets) && !isTarget(module, excluded);
    if (!isMeant || given.has(module) || (layers !== null && !layers.includes(layer))) continue;
    refuse(
      PEFT_CONFIG_FILE,
      `target_modules means "${module}" too, and ${PEFT_WEIGHTS_FILE} holds no factors of it: the file is for another model, or parts of it are missing.`,
    );
  }
}
