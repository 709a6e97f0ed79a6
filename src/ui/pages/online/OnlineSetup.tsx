import { useSetupStore } from "../../../state/setupStore.ts";
import { Panel } from "../../components/Panel.tsx";
import { ChoiceField, NumberField, SwitchField } from "../train/setup/FieldSettings.tsx";
import { ProblemList } from "../train/setup/ProblemList.tsx";
import { OnlineSwitch } from "../train/setup/OnlineSwitch.tsx";
import "./judges.css";

/** The settings of the rounds; judges have a tab of their own. */
export function OnlineSetup() {
  const isOn = useSetupStore((state) => state.config.rounds !== 0);
  return (
    <Panel title="Rounds of the next run" className="online-setup">
      <OnlineSwitch />
      {isOn && <Settings />}
    </Panel>
  );
}

function Settings() {
  return (
    <>
      <div className="online-setup-groups">
        <div role="group" aria-label="Rounds">
          <NumberField field="rounds" />
          <NumberField field="steps" />
          <NumberField field="onlinePrompts" />
          <ChoiceField field="firstPairs" />
        </div>
        <div role="group" aria-label="Selection">
          <NumberField field="regeneratedShare" />
          <ChoiceField field="selection" />
          <ChoiceField field="rankingKey" />
          <SwitchField field="hasPromptBaseline" />
        </div>
        <div role="group" aria-label="Drawing">
          <NumberField field="answersPerPrompt" />
          <NumberField field="answerTemperature" />
          <NumberField field="answerTopP" />
          <NumberField field="sampleTokens" />
        </div>
        <div role="group" aria-label="Training and ending">
          <ChoiceField field="onlineReference" />
          <NumberField field="declineRounds" />
          <ChoiceField field="onJudgeFailure" />
        </div>
      </div>
      <ProblemList except={shownFields} />
      <p className="note">
        An experiment after OPTune (arXiv 2406.07657). Its code and some of its exact choices are not public:
        the ranking key, the prompt baseline, the reference of a round and the function that turns score gaps
        into weights are this studio’s reconstruction.
      </p>
    </>
  );
}

/** Fields that show their own problems on this panel. */
const shownFields: readonly string[] = [
  "rounds",
  "steps",
  "onlinePrompts",
  "firstPairs",
  "regeneratedShare",
  "selection",
  "rankingKey",
  "answersPerPrompt",
  "answerTemperature",
  "answerTopP",
  "sampleTokens",
  "onlineReference",
  "declineRounds",
  "onJudgeFailure",
];
