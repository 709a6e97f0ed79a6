import { ActionIcon, Button, Tooltip, useMantineColorScheme } from "@mantine/core";
import { useShallow } from "zustand/react/shallow";
import { movingShare, useDownloadStore } from "../../state/downloads.ts";
import { goTo } from "../../state/navigation.ts";
import { usePlaceStore, type Screen } from "../../state/place.ts";
import { isRunActive, useRunStore } from "../../state/runStore.ts";
import { useSetupStore } from "../../state/setupStore.ts";
import { openLayer } from "../../state/viewStore.ts";
import { formatShare } from "../format.ts";
import { tagline } from "../text.ts";
import { CapabilityChip } from "./CapabilityChip.tsx";
import { Icon } from "./Icon.tsx";
import { useViewport } from "./useViewport.ts";

/** The top line: what this is, what it computes on, and the doors that are always open. */
export function Header() {
  const viewport = useViewport();
  const isPhone = viewport === "phone";
  return (
    <header className="shell-header">
      <h1 className="brand">
        <Mark />
        <span className={isPhone ? "visually-hidden" : undefined}>Prefscope</span>
      </h1>
      <Screens />
      {viewport !== "phone" && viewport !== "narrow" && <p className="tagline">{tagline.join(" ")}</p>}
      <div className="header-doors">
        <CapabilityChip isShort={isPhone || viewport === "narrow"} />
        {isPhone ? (
          <ActionIcon variant="subtle" size={36} aria-label="Share" onClick={share}>
            <Icon name="share" size={18} />
          </ActionIcon>
        ) : (
          <Button size="xs" variant="subtle" leftSection={<Icon name="share" size={15} />} onClick={share}>
            Share
          </Button>
        )}
        <SchemeButton />
        {!isPhone && (
          <Tooltip label="Keyboard (?)">
            <ActionIcon
              variant="subtle"
              size={32}
              aria-label="Keyboard shortcuts"
              onClick={() => {
                openLayer("shortcuts");
              }}
            >
              <Icon name="help" size={18} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </header>
  );
}

/** The way from screen to screen; how far a run is can be seen from all of them. */
function Screens() {
  const screen = usePlaceStore((place) => place.screen);
  const { isActive, step } = useRunStore(
    useShallow((run) => ({ isActive: isRunActive(run.phase), step: run.step })),
  );
  const steps = useSetupStore((state) => state.runningConfig?.steps ?? 0);
  const moving = useDownloadStore(movingShare);
  const progress = isActive && steps > 0 && screen !== "train" ? ` ${formatShare(step / steps)}` : "";
  return (
    <nav className="screens" aria-label="Screens">
      <ScreenLink screen="train" present={screen} label={`Train${progress}`} />
      <ScreenLink screen="online" present={screen} label="Online" />
      <ScreenLink screen="data" present={screen} label="Data" />
      <ScreenLink screen="features" present={screen} label="Features" />
      <ScreenLink
        screen="models"
        present={screen}
        label={moving === null ? "Models" : `Models ${formatShare(moving)}`}
      />
    </nav>
  );
}

interface ScreenLinkProps {
  readonly screen: Screen;
  readonly present: Screen;
  readonly label: string;
}

function ScreenLink({ screen, present, label }: ScreenLinkProps) {
  return (
    <a
      href={`#/${screen}`}
      data-testid={`${screen}-link`}
      className="screen-link"
      aria-current={screen === present ? "page" : undefined}
      onClick={(event) => {
        // A modified click opens a tab, as with any link.
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        goTo({ screen });
      }}
    >
      {label}
    </a>
  );
}

function share(): void {
  openLayer("share");
}

function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="5" fill="var(--primary)" />
      <path d="M5 19 19 5" stroke="var(--on-primary)" strokeWidth="1.5" strokeLinecap="round" />
      <circle cx="16" cy="14.5" r="2.4" fill="var(--on-primary)" />
      <circle cx="9.6" cy="17.4" r="1.5" fill="var(--on-primary)" opacity="0.65" />
    </svg>
  );
}

function SchemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = { auto: "light", light: "dark", dark: "auto" } as const;
  const icons = { auto: "auto", light: "sun", dark: "moon" } as const;
  const label = `Colours: ${colorScheme}. Change to ${next[colorScheme]}.`;
  return (
    <Tooltip label={`Colours: ${colorScheme}`}>
      <ActionIcon
        variant="subtle"
        size={32}
        aria-label={label}
        onClick={() => {
          setColorScheme(next[colorScheme]);
        }}
      >
        <Icon name={icons[colorScheme]} size={18} />
      </ActionIcon>
    </Tooltip>
  );
}
