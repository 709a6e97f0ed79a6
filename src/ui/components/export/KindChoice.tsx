import { editLeaving, useLeavingStore } from "../../../state/leaving.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import type { ExportKind } from "../../../worker/protocol.ts";

const kinds: Record<ExportKind, { readonly name: string; readonly text: string }> = {
  adapter: {
    name: "Adapter (PEFT)",
    text: "adapter_config.json and adapter_model.safetensors: small, and loads in Python on the same base model.",
  },
  merged: {
    name: "Merged model",
    text: "The adapter added to the weights, as a folder of safetensors with its tokenizer: opens wherever Hugging Face models do.",
  },
  "gguf-f16": { name: "GGUF, F16", text: "One file for llama.cpp and its kin, 2 bytes a weight." },
  "gguf-q8": { name: "GGUF, Q8_0", text: "The same in about half the bytes, with hardly any loss." },
};

const kindNames = Object.keys(kinds) as ExportKind[];

/** Which form leaves, and of what. */
export function KindChoice() {
  const kind = useLeavingStore((state) => state.kind);
  const { runningConfig, model, standing } = useSetupStore();
  const hasAdapters = (standing?.adapters.length ?? 0) > 0;
  const source =
    runningConfig === null
      ? `${model?.label ?? "The loaded model"}${hasAdapters ? " with the adapters that stand on it" : ", untouched: no run has changed it"}`
      : "The model of the run on the screen";
  return (
    <fieldset className="export-kinds">
      <legend>{source}</legend>
      {kindNames.map((name) => (
        <div key={name} className="export-kind">
          <input
            type="radio"
            name="export-kind"
            id={`export-kind-${name}`}
            aria-describedby={`export-kind-${name}-text`}
            checked={name === kind}
            onChange={() => editLeaving({ kind: name })}
          />
          <label htmlFor={`export-kind-${name}`}>{kinds[name].name}</label>
          <span className="note" id={`export-kind-${name}-text`}>
            {kinds[name].text}
          </span>
        </div>
      ))}
    </fieldset>
  );
}
