/** Goes from place to place on the site: the run and the setup stay as they are, and the back button works. */
import { writeAddress } from "./editing.ts";
import { usePlaceStore, type Place } from "./place.ts";

/** Goes to a place; what is left out stays as it is. Another screen or tab is a step that the back button takes back. */
export function goTo(change: Partial<Place>): void {
  const from = usePlaceStore.getState();
  const to = { ...from, ...change };
  usePlaceStore.setState(change);
  const isStep = to.screen !== from.screen || to.tab !== from.tab;
  writeAddress(isStep ? "push" : "replace");
}

/** Opens a feature on the Features screen. */
export function openFeature(feature: number): void {
  goTo({ screen: "features", tab: "feature", feature });
}
