/** Goes from place to place on the site: the run and the setup stay as they are, and the back button works. */
import { writeAddress } from "./editing.ts";
import { hasTabs, usePlaceStore, withTab, type OpenTabs, type Place, type TabbedScreen } from "./place.ts";

/** Goes to a place; what is left out stays as it is. Another screen or tab is a step that the back button takes back. */
export function goTo(change: Partial<Place>): void {
  const from = usePlaceStore.getState();
  const to = { ...from, ...change };
  usePlaceStore.setState(change);
  const isOtherTab = hasTabs(to.screen) && to.tabs[to.screen] !== from.tabs[to.screen];
  writeAddress(to.screen !== from.screen || isOtherTab ? "push" : "replace");
}

/** Goes to a tab of a screen. */
export function openTab<Name extends TabbedScreen>(
  screen: Name,
  tab: OpenTabs[Name],
  change: Partial<Pick<Place, "feature">> = {},
): void {
  goTo({ screen, tabs: withTab(usePlaceStore.getState().tabs, screen, tab), ...change });
}

/** Opens a feature on the Features screen. */
export function openFeature(feature: number): void {
  openTab("features", "feature", { feature });
}
