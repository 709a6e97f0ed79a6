import { chooseSecondMethod } from "../../../../state/editing.ts";
import { secondPrefix } from "../../../../state/link.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import { settingTexts } from "../../../text.ts";
import { ChoiceSetting } from "./ChoiceSetting.tsx";
import { ChoiceField, NumberField } from "./FieldSettings.tsx";
import { KnobSetting } from "./KnobSetting.tsx";

/** What is added to the method's loss, and where the reference's numbers come from. */
export function MixSettings() {
  const { config, description } = useSetupStore();
  const second = description?.objectives.find(({ id }) => id === config.secondMethod);
  const isMixed = second !== undefined || config.sftWeight > 0;
  return (
    <>
      <NumberField field="sftWeight" />
      <SecondMethodField />
      {isMixed && <NumberField field="methodWeight" />}
      {second !== undefined && (
        <div className="second-method" role="group" aria-label={`Second method: ${second.label}`}>
          <NumberField field="secondWeight" />
          {second.parameters.map((spec) => (
            <KnobSetting
              key={`${second.id} ${spec.key}`}
              paramKey={`${secondPrefix}${spec.key}`}
              spec={{ ...spec, label: `${second.label} ${spec.label}` }}
            />
          ))}
        </div>
      )}
      <ChoiceField field="referenceMode" />
    </>
  );
}

function SecondMethodField() {
  const setup = useSetupStore();
  const { config, description } = setup;
  const others = (description?.objectives ?? []).filter(({ id }) => id !== config.method);
  const problem = setupProblems(setup).find(({ field }) => field === "secondMethod")?.message;
  return (
    <ChoiceSetting<string>
      field="secondMethod"
      {...settingTexts.secondMethod}
      value={config.secondMethod}
      choices={{ "": "None", ...Object.fromEntries(others.map(({ id, label }) => [id, label])) }}
      problem={problem}
      onChange={chooseSecondMethod}
    />
  );
}
