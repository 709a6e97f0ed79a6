import { Button, Switch } from "@mantine/core";
import { chooseMethod, edit } from "../../../../state/editing.ts";
import { useSetupStore } from "../../../../state/setupStore.ts";
import { HelpButton } from "./NumberSetting.tsx";

/** Rounds that a run has when they are switched on. */
const firstRounds = 3;

/** The method that weighs pairs by the judges' scores. */
const weightedMethod = "wdpo";

const label = "Train in rounds";
const help =
  "In every round the model answers some of the prompts anew, judges score the answers, and the best and worst of each prompt are trained on. Off, the run reads the pairs of the set alone.";

/** Switches the rounds on and off. Another method is suggested, never taken unasked. */
export function OnlineSwitch() {
  const rounds = useSetupStore((state) => state.config.rounds);
  return (
    <>
      <div className="setting setting-line">
        <span className="setting-label">
          {label}
          <HelpButton label={label} help={help} />
        </span>
        <Switch
          size="sm"
          aria-label={label}
          data-testid="online-switch"
          checked={rounds !== 0}
          onChange={({ currentTarget }) => edit({ rounds: currentTarget.checked ? firstRounds : 0 })}
        />
      </div>
      {rounds !== 0 && <WeightedSuggestion />}
    </>
  );
}

function WeightedSuggestion() {
  const { config, description } = useSetupStore();
  const weighted = description?.objectives.find(({ id }) => id === weightedMethod);
  const present = description?.objectives.find(({ id }) => id === config.method);
  if (weighted === undefined || config.method === weightedMethod) return null;
  return (
    <p className="note online-suggestion" data-testid="weighted-suggestion">
      OPTune trains with {weighted.label}: pairs count more the further apart the judges score their answers.
      This run trains with {present?.label ?? config.method}.{" "}
      <Button size="compact-xs" variant="default" onClick={() => chooseMethod(weightedMethod)}>
        Use {weighted.label}
      </Button>
    </p>
  );
}
