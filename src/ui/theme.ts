/** The studio's look in Mantine's terms; the colours themselves are tokens in styles/tokens.css. */
import {
  createTheme,
  defaultVariantColorsResolver,
  Modal,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from "@mantine/core";

/** Ten shades around the primary button of both colour schemes. */
const primary: MantineColorsTuple = [
  "#e8f1fa",
  "#d2e5f6",
  "#a6cbec",
  "#7cc6ef",
  "#56b4e9",
  "#2f93d3",
  "#1a76c0",
  "#0b5cad",
  "#094c90",
  "#073c72",
];

/** Greys of the dark scheme, from text to page. */
const dark: MantineColorsTuple = [
  "#f2f2f2",
  "#a3acba",
  "#8b95a5",
  "#6e7787",
  "#3a4049",
  "#2a2f37",
  "#1b1e24",
  "#14161a",
  "#0f1114",
  "#0b0d0f",
];

/** Sizes, fonts and defaults of every Mantine component. */
export const theme = createTheme({
  primaryColor: "primary",
  colors: { primary, dark },
  primaryShade: { light: 7, dark: 4 },
  fontFamily: "var(--sans)",
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  defaultRadius: 6,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" } } }),
  },
  variantColorResolver: (input) => {
    if (input.variant !== "filled") return defaultVariantColorsResolver(input);
    return {
      background: "var(--primary)",
      hover: "var(--primary-hover)",
      color: "var(--on-primary)",
      border: "1px solid transparent",
    };
  },
});

const shared = {
  "--mantine-color-body": "var(--panel)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-dimmed": "var(--muted)",
  "--mantine-color-error": "var(--error)",
  "--mantine-color-default": "var(--panel)",
  "--mantine-color-default-hover": "var(--raised)",
  "--mantine-color-default-color": "var(--ink)",
  "--mantine-color-default-border": "var(--control)",
  "--mantine-color-placeholder": "var(--muted)",
  "--mantine-color-anchor": "var(--primary)",
  "--mantine-primary-color-filled": "var(--primary)",
  "--mantine-primary-color-filled-hover": "var(--primary-hover)",
};

/** Puts the tokens where Mantine looks for its own colours. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: shared,
  dark: shared,
});
