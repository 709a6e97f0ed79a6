import { Checkbox, NumberInput, Slider } from "@mantine/core";
import {
  deleteAdapter,
  largestScale,
  scaleAdapter,
  stackOf,
  toggleAdapter,
  useStackStore,
} from "../../../state/adapterStack.ts";
import { nameOfModel } from "../../../state/downloads.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { useShelfStore } from "../../../state/shelfStore.ts";
import type { ShelfAdapter } from "../../../worker/protocol.ts";
import { DeleteButton } from "../../components/DeleteButton.tsx";
import { formatBytes, formatSetting } from "../../format.ts";

/** An adapter with what it is, whether it fits, and its place in the stack. */
export function AdapterRow({ adapter }: { readonly adapter: ShelfAdapter }) {
  const { id, label, problem } = adapter;
  const config = useSetupStore((state) => state.config);
  const isBusy = useShelfStore(({ working }) => working !== null);
  const scale = stackOf(useStackStore(), config).find((entry) => entry.id === id)?.scale;
  return (
    <li className="adapter-row" data-testid="adapter-row" data-adapter={id}>
      <div className="adapter-heading">
        <Checkbox
          size="sm"
          label={label}
          checked={scale !== undefined}
          // One that no longer fits can still be taken off.
          disabled={problem !== null && scale === undefined}
          onChange={() => toggleAdapter(id)}
        />
        <DeleteButton
          label={label}
          question={`Delete ${formatBytes(adapter.bytes)}?`}
          isOff={isBusy}
          onDelete={() => deleteAdapter(id, label)}
        />
      </div>
      <p className="note">{factsOf(adapter).join(" · ")}</p>
      {problem !== null && <p className="setting-problem">Does not fit the loaded model. {problem}</p>}
      {scale !== undefined && <Scale id={id} label={label} scale={scale} />}
    </li>
  );
}

function factsOf({ rank, alpha, targets, layers, baseModel, bytes, origin }: ShelfAdapter): string[] {
  return [
    `rank ${rank}, alpha ${formatSetting(alpha)}`,
    `${targets.map((name) => name.replace("_proj", "")).join(", ")} in ${layers} layers`,
    `made on ${nameOfModel(baseModel) || "an unnamed model"}`,
    formatBytes(bytes),
    origin === "run" ? "from a run here" : "imported",
  ];
}

interface ScaleProps {
  readonly id: string;
  readonly label: string;
  readonly scale: number;
}

/** Most that the slider gives; the box goes further. */
const sliderMost = 2;

function Scale({ id, label, scale }: ScaleProps) {
  return (
    <div className="adapter-scale">
      <span>Scale</span>
      <Slider
        size={3}
        thumbSize={24}
        label={null}
        thumbLabel={`Scale of ${label}`}
        thumbValueText={formatSetting}
        min={-sliderMost}
        max={sliderMost}
        step={0.05}
        marks={[{ value: 0 }, { value: 1 }]}
        value={Math.min(Math.max(scale, -sliderMost), sliderMost)}
        onChange={(value) => scaleAdapter(id, Number(value.toFixed(2)))}
      />
      <NumberInput
        size="xs"
        aria-label={`Scale of ${label} as a number`}
        min={-largestScale}
        max={largestScale}
        step={0.1}
        decimalScale={3}
        value={scale}
        onChange={(value) => {
          if (value !== "" && value !== "-") scaleAdapter(id, Number(value));
        }}
      />
    </div>
  );
}
