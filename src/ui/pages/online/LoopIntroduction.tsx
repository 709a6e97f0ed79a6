import { Button } from "@mantine/core";
import { choosePreset } from "../../../state/editing.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { LoopDiagram } from "./LoopDiagram.tsx";
import { restingLoop } from "./loopState.ts";

/** What training in rounds is, and a setup that is ready for it. */
export function LoopIntroduction() {
  const presets = useSetupStore((state) => state.description?.presets);
  const ready = presets?.find(({ config }) => config.rounds > 0);
  return (
    <section className="panel online-empty" aria-label="Training in rounds" data-testid="online-empty">
      <h2>Let the model write its own pairs</h2>
      <p>
        Pairs that were written once go stale, because the model that trains on them soon answers otherwise.
        In every round the model answers prompts anew, judges score the answers, and the best and the worst of
        each prompt become a pair to train on. OPTune draws only the prompts whose pairs score lowest and
        keeps the others, which its paper found 1.27 to 1.56 times as fast.
      </p>
      {ready !== undefined && (
        <Button data-testid="online-preset" onClick={() => choosePreset(ready.id)}>
          Set up {ready.label}
        </Button>
      )}
      <LoopDiagram state={restingLoop} newest={null} />
    </section>
  );
}
