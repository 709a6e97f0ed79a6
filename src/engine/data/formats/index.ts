import { alpacaRanking } from "./alpacaRanking.ts";
import { beaverTails } from "./beaverTails.ts";
import type { DataFormat } from "./dataFormat.ts";
import { hhRlhf } from "./hhRlhf.ts";
import { kto } from "./kto.ts";
import { ktoMessages } from "./ktoMessages.ts";
import { orcaDpo } from "./orcaDpo.ts";
import { pkuHelpful, pkuSafe } from "./pkuSafeRlhf.ts";
import { prompts } from "./prompts.ts";
import { sftCompletion } from "./sftCompletion.ts";
import { sftInstruction } from "./sftInstruction.ts";
import { sftMessages } from "./sftMessages.ts";
import { sftText } from "./sftText.ts";
import { shareGptRanking } from "./shareGptRanking.ts";
import { shp } from "./shp.ts";
import { trlExplicit } from "./trlExplicit.ts";
import { trlImplicit } from "./trlImplicit.ts";
import { ultraFeedback } from "./ultraFeedback.ts";

/** Every dataset layout that can be read; of those that fit equally well the first is taken. */
export const dataFormats: readonly DataFormat[] = [
  trlExplicit,
  ultraFeedback,
  orcaDpo,
  alpacaRanking,
  shareGptRanking,
  pkuHelpful,
  pkuSafe,
  shp,
  hhRlhf,
  trlImplicit,
  kto,
  beaverTails,
  ktoMessages,
  sftCompletion,
  sftInstruction,
  sftMessages,
  sftText,
  prompts,
];
