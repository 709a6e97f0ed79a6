/** Names that columns have in data sets of no known layout, likeliest first. */

/** Columns that hold what is asked. */
export const promptAliases: readonly string[] = [
  "question",
  "query",
  "instruction",
  "input",
  "user",
  "request",
  "context",
  "history",
  "problem",
  "post",
  "user_prompt",
];

/** Columns that hold the better answer. */
export const chosenAliases: readonly string[] = [
  "good",
  "preferred",
  "winner",
  "better",
  "accepted",
  "positive",
  "win",
  "best",
  "good_answer",
  "good_response",
  "chosen_response",
  "chosen_answer",
  "preferred_response",
  "preferred_answer",
  "winning_response",
  "better_answer",
  "better_response",
  "response_chosen",
  "answer_chosen",
  "response_a",
  "answer_a",
  "response_1",
  "answer_1",
  "response_j",
];

/** Columns that hold the worse answer. */
export const rejectedAliases: readonly string[] = [
  "bad",
  "dispreferred",
  "loser",
  "worse",
  "refused",
  "negative",
  "lose",
  "worst",
  "bad_answer",
  "bad_response",
  "rejected_response",
  "rejected_answer",
  "dispreferred_response",
  "dispreferred_answer",
  "losing_response",
  "worse_answer",
  "worse_response",
  "response_rejected",
  "answer_rejected",
  "response_b",
  "answer_b",
  "response_2",
  "answer_2",
  "response_k",
];

/** Columns that hold the one answer of a row. */
export const completionAliases: readonly string[] = [
  "response",
  "answer",
  "output",
  "reply",
  "target",
  "generation",
  "model_output",
  "assistant",
];

/** Columns that say whether the one answer is good. */
export const labelAliases: readonly string[] = [
  "is_good",
  "good",
  "liked",
  "thumbs_up",
  "is_safe",
  "is_preferred",
  "feedback",
  "kto_tag",
  "desirable",
  "accepted",
];
