/** Where on the site somebody is: the screen, the tab of each screen that has tabs, and the feature. */
import { create } from "zustand";

/** Screens of the studio. */
export const screens = ["train", "online", "data", "features", "models"] as const;

/** A screen of the studio. */
export type Screen = (typeof screens)[number];

/** Tabs by the screen that has them. */
export const tabsOf = {
  features: ["prompt", "feature", "changes", "held", "train-sae"],
  online: ["rounds", "prompts", "judges"],
  data: ["sources", "pairs", "health", "changes", "batch", "annotate"],
} as const;

/** A screen with tabs. */
export type TabbedScreen = keyof typeof tabsOf;

/** The open tab of every screen that has tabs. */
export type OpenTabs = { readonly [Name in TabbedScreen]: (typeof tabsOf)[Name][number] };

/** A tab of the Features screen. */
export type FeatureTab = OpenTabs["features"];

/** A tab of the Data screen. */
export type DataTab = OpenTabs["data"];

/** A tab of the Online screen. */
export type OnlineTab = OpenTabs["online"];

/** A place on the site. */
export interface Place {
  readonly screen: Screen;
  readonly tabs: OpenTabs;
  /** Feature that is looked at; null before one was chosen. */
  readonly feature: number | null;
}

/** Keys of a link that name a place and are no settings. */
export const placeKeys = ["view", "feature"] as const;

const start: Place = {
  screen: "train",
  tabs: { features: "feature", online: "rounds", data: "sources" },
  feature: null,
};

/** The place now. */
export const usePlaceStore = create<Place>(() => start);

/** The place that an address names; what it does not say is as at the start. */
export function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const settings = new URLSearchParams(query);
  const feature = settings.get("feature") ?? "";
  const screen = screens.find((name) => name === path) ?? start.screen;
  return {
    screen,
    tabs: hasTabs(screen) ? withTab(start.tabs, screen, settings.get("view") ?? "") : start.tabs,
    feature: /^\d{1,9}$/.test(feature) ? Number(feature) : null,
  };
}

/** True for a screen that has tabs. */
export function hasTabs(screen: Screen): screen is TabbedScreen {
  return screen in tabsOf;
}

/** The open tabs with another one on a screen; a name that is no tab of it changes nothing. */
export function withTab(tabs: OpenTabs, screen: TabbedScreen, name: string): OpenTabs {
  const tab = tabsOf[screen].find((known) => known === name);
  return tab === undefined ? tabs : { ...tabs, [screen]: tab };
}

/** The address of a place with the settings of a link. */
export function addressOf({ screen, tabs, feature }: Place, link: string): string {
  const settings = (link.split("?")[1] ?? "")
    .split("&")
    .filter((part) => part !== "" && !placeKeys.some((key) => part.startsWith(`${key}=`)));
  const place = hasTabs(screen) ? [`view=${tabs[screen]}`] : [];
  if (screen === "features" && feature !== null) place.push(`feature=${feature}`);
  return `#/${screen}?${[...place, ...settings].join("&")}`;
}
