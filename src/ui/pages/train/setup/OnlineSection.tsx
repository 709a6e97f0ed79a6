import { openTab } from "../../../../state/navigation.ts";
import { useSetupStore } from "../../../../state/setupStore.ts";
import { openLayer } from "../../../../state/viewStore.ts";
import { NumberField } from "./FieldSettings.tsx";
import { OnlineSwitch } from "./OnlineSwitch.tsx";

/** The online rounds in short, for the setup of the Train screen; everything about them is on the Online screen. */
export function OnlineSection() {
  const isOn = useSetupStore((state) => state.config.rounds !== 0);
  return (
    <>
      <OnlineSwitch />
      {isOn && (
        <>
          <NumberField field="rounds" />
          <NumberField field="regeneratedShare" />
        </>
      )}
      <button
        type="button"
        className="link-button"
        onClick={() => {
          openLayer(null);
          openTab("online", "rounds");
        }}
      >
        {isOn ? "Judges and all settings of the rounds" : "What online rounds are"}
      </button>
    </>
  );
}
