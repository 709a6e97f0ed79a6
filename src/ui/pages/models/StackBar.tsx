import { Button } from "@mantine/core";
import {
  applyStack,
  clearStack,
  isStackChanged,
  resetStack,
  stackOf,
  useStackStore,
} from "../../../state/adapterStack.ts";
import { edit } from "../../../state/editing.ts";
import { isRunActive, useRunStore } from "../../../state/runStore.ts";
import { useSetupStore } from "../../../state/setupStore.ts";
import { Refusal } from "../../components/Refusal.tsx";

/** What is ticked against what stands: apply it, go back, or take everything off. */
export function StackBar() {
  const stack = useStackStore();
  const config = useSetupStore((state) => state.config);
  const isRunning = useRunStore((state) => isRunActive(state.phase));
  const isChanged = isStackChanged(stack, config);
  const ticked = stackOf(stack, config).length;
  return (
    <div className="stack-bar">
      <div className="dialog-actions">
        <Button
          size="xs"
          data-testid="apply-stack"
          disabled={!isChanged || isRunning}
          loading={stack.isApplying}
          onClick={() => void applyStack()}
        >
          {ticked > 1 ? `Stack ${ticked} on the model` : "Apply"}
        </Button>
        {isChanged && (
          <Button size="xs" variant="default" onClick={resetStack}>
            Undo
          </Button>
        )}
        {config.adapters.length > 0 && (
          <Button
            size="xs"
            variant="default"
            disabled={isRunning || stack.isApplying}
            onClick={() => void clearStack()}
          >
            Take all off
          </Button>
        )}
      </div>
      {isRunning && <p className="note">A run is going on: what it stands on stays as it is.</p>}
      <Refusal title="The adapters were not applied." reason={stack.refusal} />
      {config.adapters.length > 0 && <GoesOn />}
    </div>
  );
}

/** What a run does with the adapters that stand on the model. */
function GoesOn() {
  const { standing, config } = useSetupStore();
  const rank = standing?.rank ?? 0;
  return (
    <>
      <p className="note" data-testid="goes-on">
        The next run trains on from here: its adapter begins as the sum of this stack, and its reference is
        the model with the stack on it.
      </p>
      {config.tuning === "lora" && rank > config.loraRank && (
        <p className="stack-rank">
          The sum needs rank {rank}, and the setup has {config.loraRank}.
          <Button size="compact-xs" variant="default" onClick={() => edit({ loraRank: rank })}>
            Train with rank {rank}
          </Button>
        </p>
      )}
    </>
  );
}
