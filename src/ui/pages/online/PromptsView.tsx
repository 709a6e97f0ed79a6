/** The tab: what became of every prompt. */
export function PromptsView() {
  return <section className="panel" aria-label="Prompts" />;
}
