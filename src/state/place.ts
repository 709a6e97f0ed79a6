/** Where on the site somebody is: the screen, and on the Features screen the tab and the feature. */
import { create } from "zustand";

/** Screens of the studio. */
export const screens = ["train", "data", "features", "models"] as const;

/** A screen of the studio. */
export type Screen = (typeof screens)[number];

/** Tabs of the Features screen. */
export const featureTabs = ["prompt", "feature", "changes", "held", "train-sae"] as const;

/** A tab of the Features screen. */
export type FeatureTab = (typeof featureTabs)[number];

/** A place on the site. */
export interface Place {
  readonly screen: Screen;
  readonly tab: FeatureTab;
  /** Feature that is looked at; null before one was chosen. */
  readonly feature: number | null;
}

/** Keys of a link that name a place and are no settings. */
export const placeKeys = ["view", "feature"] as const;

const start: Place = { screen: "train", tab: "feature", feature: null };

/** The place now. */
export const usePlaceStore = create<Place>(() => start);

/** The place that an address names; what it does not say is as at the start. */
export function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const settings = new URLSearchParams(query);
  const feature = settings.get("feature") ?? "";
  return {
    screen: screens.find((screen) => screen === path) ?? start.screen,
    tab: featureTabs.find((tab) => tab === settings.get("view")) ?? start.tab,
    feature: /^\d{1,9}$/.test(feature) ? Number(feature) : null,
  };
}

/** The address of a place with the settings of a link. */
export function addressOf({ screen, tab, feature }: Place, link: string): string {
  const settings = (link.split("?")[1] ?? "")
    .split("&")
    .filter((part) => part !== "" && !placeKeys.some((key) => part.startsWith(`${key}=`)));
  const place =
    screen === "features" ? [`view=${tab}`, ...(feature === null ? [] : [`feature=${feature}`])] : [];
  return `#/${screen}?${[...place, ...settings].join("&")}`;
}
