import { Button, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { useSetupStore } from "../../../state/setupStore.ts";
import { takeModel } from "../../../state/takeOver.ts";
import type { RunConfig } from "../../../engine/training/config.ts";
import { choiceTexts, weightTexts } from "../../text.ts";

type Weights = RunConfig["baseWeights"];

/** How a model's weights are to lie, what that means, and the button that uses it so. */
export function UseModel({ id, label }: { readonly id: string; readonly label: string }) {
  const { loaded, loading, config } = useSetupStore();
  const [wish, setWish] = useState<Weights | null>(null);
  const isInUse = config.model === id && loaded?.model === id;
  const weights = wish ?? (isInUse ? loaded.weights : "keep");
  const isSame = isInUse && loaded.weights === weights;
  return (
    <>
      <div className="use-model">
        <NativeSelect
          size="xs"
          aria-label={`Base weights of ${label}`}
          value={weights}
          data={Object.entries(choiceTexts.baseWeights).map(([value, name]) => ({ value, label: name }))}
          onChange={({ currentTarget }) => setWish(currentTarget.value as Weights)}
        />
        {isSame ? (
          <span className="chip chip-in-use">In use</span>
        ) : (
          <Button
            size="xs"
            aria-label={isInUse ? `Load ${label} again` : `Use ${label}`}
            loading={loading === "model" && config.model === id}
            disabled={loading !== null}
            onClick={() => void takeModel(id, weights)}
          >
            {isInUse ? "Load again" : "Use"}
          </Button>
        )}
      </div>
      {wish !== null && <p className="note">{weightTexts[weights]}</p>}
    </>
  );
}
