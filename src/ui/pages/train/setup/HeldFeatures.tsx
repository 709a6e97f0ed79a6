import { toggleHeld } from "../../../../state/heldSet.ts";
import { openTab } from "../../../../state/navigation.ts";
import { setupProblems, useSetupStore } from "../../../../state/setupStore.ts";
import { useFeatureLabel } from "../../../components/useFeatureLabel.ts";
import { Icon } from "../../../components/Icon.tsx";

/** The features that FPO holds still, as chips, with the way to more. */
export function HeldFeatures() {
  const setup = useSetupStore();
  const held = setup.config.heldFeatures;
  const problem = setupProblems(setup).find(({ field }) => field === "heldFeatures")?.message;
  const label = useFeatureLabel();
  // Over several autoencoders features are numbered one after another: the names of one of them are not theirs.
  const isOfOne = setup.config.saes.length < 2;
  return (
    <div className="setting held-features" data-testid="held-features">
      <span className="setting-label">
        {held.length === 1 ? "1 feature held still" : `${held.length} features held still`}
      </span>
      {held.length > 0 && (
        <ul className="held-chips" aria-label="Held features">
          {held.map((feature) => {
            const name = `#${feature} ${isOfOne ? label(feature) : ""}`.trim();
            return (
              <li key={feature} className="chip">
                <span className="chip-text">{name}</span>
                <button
                  type="button"
                  className="chip-close"
                  aria-label={`Let ${name} go`}
                  onClick={() => toggleHeld(feature)}
                >
                  <Icon name="close" size={12} />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {problem !== undefined && <p className="setting-problem">{problem}</p>}
      <button
        type="button"
        className="link-button"
        data-field="heldFeatures"
        onClick={() => openTab("features", held.length > 0 ? "held" : "feature")}
      >
        {held.length > 0 ? "Change the set" : "Choose features"}
      </button>
    </div>
  );
}
